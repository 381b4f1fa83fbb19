"""The production hosts of the venues: in the lab they lead to loopback, and no others lead anywhere."""

HOSTS: dict[str, tuple[str, ...]] = {
    "binance": (
        "api.binance.com",
        "api1.binance.com",
        "api2.binance.com",
        "api3.binance.com",
        "api4.binance.com",
        "api-gcp.binance.com",
        "data-api.binance.vision",
        "stream.binance.com",
        "ws-api.binance.com",
    ),
    "okx": ("www.okx.com", "ws.okx.com"),
    "kraken": ("api.kraken.com", "ws.kraken.com", "ws-auth.kraken.com"),
    "coinbase": (
        "api.coinbase.com",
        "advanced-trade-ws.coinbase.com",
        "advanced-trade-ws-user.coinbase.com",
    ),
    "alpaca": (
        "api.alpaca.markets",
        "paper-api.alpaca.markets",
        "broker-api.alpaca.markets",
        "data.alpaca.markets",
    ),
    "bitmart": ("api-cloud.bitmart.com",),
    "coinstore": ("api.coinstore.com",),
}
ALL_HOSTS = tuple(host for hosts in HOSTS.values() for host in hosts)
