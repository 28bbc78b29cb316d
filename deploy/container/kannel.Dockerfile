# Kannel 1.4.5, both boxes; the command says which one runs.
FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends kannel \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o kannel -g kannel /var/log/kannel /var/spool/kannel
COPY kannel-entrypoint /usr/local/bin/kannel-entrypoint
USER kannel
STOPSIGNAL SIGTERM
ENTRYPOINT ["kannel-entrypoint"]
CMD ["bearerbox"]
