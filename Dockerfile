# One image for web, worker and release: what it runs is said where it is started (compose.yaml, Railway).
ARG PYTHON_VERSION=3.11

FROM python:${PYTHON_VERSION}-slim AS packages
COPY requirements.txt /tmp/
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/requirements.txt

FROM python:${PYTHON_VERSION}-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORT=8000
# /data is for an SQLite file, where no PostgreSQL is used.
RUN useradd --system --uid 10001 --home-dir /app botdesk \
    && install -d -o botdesk /app /data
WORKDIR /app
COPY --from=packages /venv /venv
COPY manage.py Procfile ./
COPY platform platform
COPY exchanges exchanges
COPY bots bots
# Throw-away keys: no page is signed and nothing is encrypted here.
RUN SECRET_KEY=only-for-collectstatic-0123456789-abcdefghijklmnopqrstuvwxyz \
    FIELD_ENCRYPTION_KEYS=b25seS1mb3ItY29sbGVjdHN0YXRpYy0wMTIzNDU2Nzg= \
    python manage.py collectstatic --no-input --verbosity 0
USER botdesk
EXPOSE 8000
CMD ["sh", "-c", "exec gunicorn --pythonpath platform --config platform/config/gunicorn.py --bind 0.0.0.0:$PORT config.wsgi"]
