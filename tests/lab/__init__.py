"""An exchange simulator on loopback: exchange.py is the engine, binance/ the wire, server.py the door."""
