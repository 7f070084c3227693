// What the board asks for. Names are IB's: the schema beside the editor describes each of them.

export const TIME = "query Time { reqCurrentTime }";

export const ACCOUNTS = "query Accounts { reqManagedAccts }";

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
    contract: $contract, endDateTime: "", durationStr: $duration, barSizeSetting: $size, whatToShow: $show, useRth: false
  ) { date open high low close volume }
}`;

export const BAR_UPDATES = `subscription BarUpdates($contract: ContractInput!, $duration: String!, $size: String!, $show: String!) {
  reqHistoricalData(
    contract: $contract, durationStr: $duration, barSizeSetting: $size, whatToShow: $show, useRth: false
  ) { ... on BarData { date open high low close volume } }
}`;

export const QUOTES = `subscription Quotes($contract: ContractInput!) {
  reqMktData(contract: $contract, overflow: CONFLATE) {
    __typename
    ... on TickPrice { tickType price }
    ... on TickSize { tickType size }
    ... on MarketDataType { marketDataType }
  }
}`;

export const SUMMARY = `subscription Summary($tags: String!) {
  reqAccountSummary(groupName: "All", tags: $tags) { ... on AccountSummary { account tag value currency } }
}`;

export const PNL = `subscription ProfitAndLoss($account: String!) {
  reqPnL(account: $account, modelCode: "") { dailyPnl unrealizedPnl realizedPnl }
}`;

export const PNL_SINGLE = `subscription PositionProfit($account: String!, $conId: Int!) {
  reqPnLSingle(account: $account, modelCode: "", conid: $conId) { pos dailyPnl unrealizedPnl value }
}`;

export const POSITIONS = `subscription Positions {
  reqPositions {
    ... on Position { account position avgCost contract { conId symbol secType currency localSymbol } }
  }
}`;

export const OPEN_ORDERS = `query OpenOrders {
  reqAllOpenOrders {
    orderId
    contract { symbol secType currency localSymbol }
    order { action totalQuantity orderType lmtPrice auxPrice tif }
    orderState { status }
  }
}`;
