"""A docker-compose file as a starting point: it is translated into answers, with a report of every key.

The way of the data: ``document`` (what the file says, whole) → ``roles`` (which service is the app, and what
becomes of the others) → ``container`` and ``variables`` (answers) → ``report``. Values that look like secrets
become references by name; the values themselves go nowhere: not into answers, reports or errors.
"""
