# ml-connector as a container: one image for the console, the worker and every command.
#   docker build -t ml-connector .
#   docker run --read-only --tmpfs /tmp -v mlconnector:/data -p 127.0.0.1:8000:8000 ml-connector

FROM python:3.13-slim-bookworm AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/ml-connector
COPY requirements.lock ./
RUN /opt/ml-connector/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN /opt/ml-connector/bin/pip install --no-build-isolation --no-deps . \
    && /opt/ml-connector/bin/python -m compileall -q /opt/ml-connector/lib

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin mlconnector \
    && install -d -m 0700 -o mlconnector -g mlconnector /data
COPY --from=build /opt/ml-connector /opt/ml-connector
ENV PATH=/opt/ml-connector/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ML_CONNECTOR_DATA=/data
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["ml-connector"]
CMD ["serve", "--host", "0.0.0.0"]
