FROM python:3.11-slim AS build
WORKDIR /srv
RUN python -m venv /srv/.venv
COPY requirements.txt ./
RUN /srv/.venv/bin/pip install --no-cache-dir --require-hashes --requirement requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY gateway gateway
COPY tenants tenants
COPY migrations_of_config migrations_of_config
RUN /srv/.venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /srv --shell /usr/sbin/nologin gateway \
    && install --directory --owner gateway --mode 0700 /srv/.data
WORKDIR /srv
COPY --from=build /srv/.venv /srv/.venv
COPY examples examples
ENV PATH=/srv/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GATEWAY_HOST=0.0.0.0
USER gateway
VOLUME /srv/.data
EXPOSE 8000 9090
# `exec` form, so that SIGTERM reaches the gateway and open runs come to their end.
ENTRYPOINT ["gateway"]
CMD ["serve"]
