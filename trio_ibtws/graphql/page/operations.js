// What the board asks for. Names are IB's: the schema beside the editor describes each of them.

export const TIME = "query Time { reqCurrentTime }";

export const ACCOUNTS = "query Accounts { connection { accounts } }";

export const SYMBOLS = `query Symbols($pattern: String!) {
  reqMatchingSymbols(pattern: $pattern) {
    contract { conId symbol secType primaryExchange currency description }
  }
}`;

export const DETAILS = `query Details($contract: ContractInput!) {
  reqContractDetails(contract: $contract) {
    longName minTick contract { conId localSymbol primaryExchange }
  }
}`;

export const BARS = `query Bars($contract: ContractInput!, $duration: String!, $size: String!, $show: String!) {
  reqHistoricalData(
    contract: $contract, durationStr: $duration, barSizeSetting: $size, whatToShow: $show, useRTH: false
  ) { date open high low close volume }
}`;

export const BAR_UPDATES = `subscription BarUpdates(
  $contract: ContractInput!, $duration: String!, $size: String!, $show: String!
) {
  reqHistoricalData(
    contract: $contract, durationStr: $duration, barSizeSetting: $size, whatToShow: $show, useRTH: false, share: true
  ) { ... on BarData { date open high low close volume } }
}`;

export const QUOTES = `subscription Quotes($contract: ContractInput!) {
  reqMktData(contract: $contract, overflow: CONFLATE, share: true) {
    __typename
    ... on TickPrice { tickType price }
    ... on TickSize { tickType size }
    ... on MarketDataType { marketDataType }
  }
}`;

export const SUMMARY = `subscription Summary($tags: String!) {
  reqAccountSummary(groupName: "All", tags: $tags, share: true) { ... on AccountSummary { account tag value currency } }
}`;

export const PNL = `subscription ProfitAndLoss($account: String!) {
  reqPnL(account: $account, overflow: CONFLATE, share: true) { ... on Pnl { dailyPnL unrealizedPnL realizedPnL } }
}`;

export const PNL_SINGLE = `subscription PositionProfit($account: String!, $conId: Int!) {
  reqPnLSingle(account: $account, conid: $conId, overflow: CONFLATE, share: true) {
    ... on PnlSingle { pos dailyPnL unrealizedPnL value }
  }
}`;

export const POSITIONS = `subscription Positions {
  reqPositions(share: true) {
    __typename
    ... on Position { account position avgCost contract { conId symbol secType exchange currency localSymbol } }
  }
}`;

export const OPEN_ORDERS = `query OpenOrders {
  reqAllOpenOrders {
    orderId
    contract { symbol secType currency localSymbol }
    order { action totalQuantity orderType lmtPrice auxPrice tif }
    orderState { status }
    status { filled }
  }
}`;

export const NOTICES = "subscription Notices { notices { id code message } }";
