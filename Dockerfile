ARG PYTHON=python:3.13-slim-bookworm

FROM ${PYTHON} AS builder

WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ONLY_BINARY=:all: \
    PIP_ROOT_USER_ACTION=ignore

# The secret is only for building behind a proxy that intercepts TLS; nothing of it stays in the image.
# What builds the project itself comes at the hashes of requirements-dev.txt too, so that nothing is unpinned.
COPY requirements.txt requirements-dev.txt ./
RUN --mount=type=secret,id=ca \
    if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi \
    && sed -n '/^\(hatchling\|packaging\|pathspec\|pluggy\|tomlkit\|trove-classifiers\)==/,/# via/p' \
        requirements-dev.txt > requirements-build.txt \
    && pip install --require-hashes --requirement requirements-build.txt \
    && python -m venv --without-pip /opt/selfimprover \
    && pip --python /opt/selfimprover/bin/python install --require-hashes --requirement requirements.txt

COPY pyproject.toml README.md LICENSE ./
COPY selfimprover ./selfimprover
RUN pip wheel --no-index --no-deps --no-build-isolation --wheel-dir /build/wheels . \
    && pip --python /opt/selfimprover/bin/python install --no-index --no-deps /build/wheels/*.whl


FROM ${PYTHON}

LABEL org.opencontainers.image.title="selfimprover" \
      org.opencontainers.image.description="Finds an assistant's repeated errors at night, opens proven pull requests" \
      org.opencontainers.image.licenses="MIT"

# No versions: the archive keeps only the newest, and that is the one with the security fixes.
# The state folder is open to every user: --user may choose any, and nobody else lives in a container.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends bubblewrap ca-certificates git tini tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 selfimprover \
    && useradd --uid 10001 --gid 10001 --no-log-init --no-create-home --home-dir /var/lib/selfimprover selfimprover \
    && install --directory --owner=10001 --group=10001 --mode=0777 /var/lib/selfimprover

COPY --from=builder /opt/selfimprover /opt/selfimprover

# SSL_CERT_FILE: httpx and openai bring their own authorities; this makes them trust those of the system instead,
# with what was added there.
ENV PATH=/opt/selfimprover/bin:${PATH} \
    SELFIMPROVER_CONFIG=/etc/selfimprover/config.toml \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    STATE_DIRECTORY=/var/lib/selfimprover

USER 10001:10001
VOLUME /var/lib/selfimprover

STOPSIGNAL SIGTERM

# A container that first starts between 20:17 and 00:17 has its first night at 00:17, and until then no night to show:
# up to four hours, and one for the night itself.
HEALTHCHECK --interval=5m --timeout=30s --start-period=5h --retries=3 CMD ["selfimprover", "status"]

# A signal that comes before its handler would kill the program. Blocked, it waits; the program unblocks it in time.
# env stands before tini because tini gives its child the signals as it found them: from its first instant on.
ENTRYPOINT ["env", "--block-signal=USR1", "--block-signal=HUP", "tini", "--", "selfimprover"]
CMD ["run"]
