// Operations to begin with.

const AAPL = { symbol: "AAPL", secType: "STK", exchange: "SMART", currency: "USD" };
const EURUSD = { symbol: "EUR", secType: "CASH", exchange: "IDEALPRO", currency: "USD" };

/** Each has a `name`, a `query` and the `variables` for it. */
export const EXAMPLES = [
  {
    name: "Current time",
    query: `query CurrentTime {
  reqCurrentTime
}`,
  },
  {
    name: "What is this contract?",
    query: `query Details($contract: ContractInput!) {
  reqContractDetails(contract: $contract) {
    longName
    marketName
    minTick
    timeZoneId
    contract {
      conId
      localSymbol
      primaryExchange
    }
  }
}`,
    variables: { contract: AAPL },
  },
  {
    name: "Historical data",
    query: `query HistoricalData($contract: ContractInput!) {
  reqHistoricalData(
    contract: $contract
    durationStr: "1 M"
    barSizeSetting: "1 day"
    whatToShow: "TRADES"
  ) {
    date
    open
    high
    low
    close
    volume
  }
}`,
    variables: { contract: AAPL },
  },
  {
    name: "Historical data that goes on",
    query: `subscription HistoricalDataStream($contract: ContractInput!) {
  reqHistoricalData(
    contract: $contract
    durationStr: "1800 S"
    barSizeSetting: "1 min"
    whatToShow: "TRADES"
  ) {
    __typename
    ... on BarData {
      date
      open
      high
      low
      close
      volume
    }
  }
}`,
    variables: { contract: AAPL },
  },
  {
    name: "Quotes",
    query: `subscription Quotes($contract: ContractInput!) {
  reqMktData(contract: $contract, overflow: CONFLATE) {
    __typename
    ... on TickPrice {
      tickType
      price
    }
    ... on TickSize {
      tickType
      size
    }
  }
}`,
    variables: { contract: EURUSD },
  },
  {
    name: "Delayed quotes where there are no live ones",
    query: `mutation DelayedQuotes {
  reqMarketDataType(marketDataType: 3)
}`,
  },
  {
    name: "Tick by tick",
    query: `subscription TickByTick($contract: ContractInput!) {
  reqTickByTickData(contract: $contract, tickType: BidAsk) {
    ... on TickByTickBidAsk {
      time
      bidPrice
      askPrice
      bidSize
      askSize
    }
  }
}`,
    variables: { contract: EURUSD },
  },
  {
    name: "Account summary",
    query: `query Summary {
  reqAccountSummary(groupName: "All", tags: "NetLiquidation,TotalCashValue,BuyingPower") {
    account
    tag
    value
    currency
  }
}`,
  },
  {
    name: "Open orders",
    query: `query OpenOrders {
  reqAllOpenOrders {
    orderId
    contract {
      symbol
      secType
    }
    order {
      action
      totalQuantity
      orderType
      lmtPrice
    }
    orderState {
      status
    }
  }
}`,
  },
];
