# Asterisk 22, as Debian testing has it; its configuration is mounted to /mnt/asterisk.
FROM debian:testing-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends asterisk asterisk-core-sounds-en-wav \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o asterisk -g asterisk /var/lib/asterisk /var/log/asterisk /var/run/asterisk /var/spool/asterisk
COPY asterisk-entrypoint /usr/local/bin/asterisk-entrypoint
USER asterisk
STOPSIGNAL SIGTERM
ENTRYPOINT ["asterisk-entrypoint"]
