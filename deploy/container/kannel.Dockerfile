# Kannel 1.4.5, both boxes; the command says which one runs.
FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends kannel \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o kannel -g kannel /var/log/kannel /var/spool/kannel
USER kannel
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/sbin/bearerbox"]
CMD ["/etc/kannel/kannel.conf"]
