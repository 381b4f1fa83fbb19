"""An exchange simulator on loopback, reached through the venues' production URLs.

exchange.py is the engine with its ledger, binance/ speaks for it on the wire, server.py is the door,
crowd.py trades. faults.py and weather.py trouble the requests; views.py, display.py and races.py what the
venue shows and does; commands.py and trouble.py are all that can be asked of a lab. In a test, take the
fixture `lab` (fixtures.py); for real processes, LabProcess (control.py) with manage.py in place of
the product's own. Nothing here imports the product but manage.py.
"""
