-- The first schema, as it was released. Never edited: a change is a new revision.
-- {seq} is the one type whose name differs between the databases.

CREATE TABLE calls (
  id TEXT NOT NULL, ref TEXT NOT NULL, kind TEXT NOT NULL, user_id TEXT NOT NULL,
  customer_id TEXT NOT NULL, channel TEXT NOT NULL, address TEXT NOT NULL,
  request_id TEXT NOT NULL, thread TEXT NOT NULL, state TEXT NOT NULL,
  reason TEXT DEFAULT '' NOT NULL, title TEXT DEFAULT '' NOT NULL,
  billing_code TEXT DEFAULT '' NOT NULL, private BIGINT DEFAULT 0 NOT NULL,
  locked BIGINT DEFAULT 0 NOT NULL, currency TEXT NOT NULL, cap_micros BIGINT, max_seconds BIGINT,
  stated_seconds BIGINT, free_first_leg BIGINT DEFAULT 0 NOT NULL, switch TEXT DEFAULT '' NOT NULL,
  shard BIGINT DEFAULT 0 NOT NULL, epoch BIGINT DEFAULT 0 NOT NULL,
  version BIGINT DEFAULT 1 NOT NULL, command TEXT NOT NULL, timezone TEXT NOT NULL,
  created_wall_ms BIGINT NOT NULL, due_call_ms BIGINT, launched_call_ms BIGINT,
  talk_call_ms BIGINT, grace_call_ms BIGINT, warned_call_ms BIGINT, retry_money_call_ms BIGINT,
  ended_call_ms BIGINT, ended_wall_ms BIGINT, PRIMARY KEY (id)
);
CREATE INDEX ix_calls_customer ON calls (customer_id, created_wall_ms);
CREATE INDEX ix_calls_due ON calls (due_call_ms) WHERE ended_wall_ms IS NULL;
CREATE INDEX ix_calls_launched ON calls (user_id, launched_call_ms);
CREATE INDEX ix_calls_live ON calls (customer_id, ended_wall_ms, user_id) WHERE ended_wall_ms IS NULL;
CREATE INDEX ix_calls_ref ON calls (customer_id, ref, created_wall_ms);
CREATE INDEX ix_calls_user ON calls (user_id, created_wall_ms);

CREATE TABLE refs (
  user_id TEXT NOT NULL, ref TEXT NOT NULL, call_id TEXT NOT NULL, taken_wall_ms BIGINT NOT NULL,
  CONSTRAINT pk_refs PRIMARY KEY (user_id, ref)
);
CREATE INDEX ix_refs_call ON refs (call_id);

CREATE TABLE parties (
  call_id TEXT NOT NULL, n BIGINT NOT NULL, role TEXT NOT NULL, label TEXT NOT NULL,
  number_id TEXT NOT NULL, accept BIGINT DEFAULT 0 NOT NULL, muted BIGINT DEFAULT 0 NOT NULL,
  dropped BIGINT DEFAULT 0 NOT NULL, redials BIGINT DEFAULT 0 NOT NULL,
  CONSTRAINT pk_parties PRIMARY KEY (call_id, n)
);

CREATE TABLE numbers (
  id TEXT NOT NULL, call_id TEXT NOT NULL, digits TEXT NOT NULL, extension TEXT NOT NULL,
  masked TEXT NOT NULL, region TEXT NOT NULL, created_wall_ms BIGINT NOT NULL, PRIMARY KEY (id)
);
CREATE INDEX ix_numbers_call ON numbers (call_id);
CREATE INDEX ix_numbers_digits ON numbers (created_wall_ms) WHERE digits <> '';

CREATE TABLE legs (
  id TEXT NOT NULL, call_id TEXT NOT NULL, n BIGINT NOT NULL, attempt BIGINT NOT NULL,
  number_id TEXT NOT NULL, caller_number_id TEXT NOT NULL, state TEXT NOT NULL,
  trunk TEXT NOT NULL, terms TEXT NOT NULL, buy_terms TEXT NOT NULL,
  accept BIGINT DEFAULT 0 NOT NULL, keys TEXT DEFAULT '1' NOT NULL, keyed TEXT DEFAULT '' NOT NULL,
  moves BIGINT DEFAULT 0 NOT NULL, originated_call_ms BIGINT,
  ringing_call_ms BIGINT, answered_call_ms BIGINT, accepted_call_ms BIGINT, bridged_call_ms BIGINT,
  ended_call_ms BIGINT, cause BIGINT DEFAULT 0 NOT NULL, hangup_by TEXT DEFAULT '' NOT NULL,
  hangup_asked BIGINT DEFAULT 0 NOT NULL, end_estimated BIGINT DEFAULT 0 NOT NULL,
  holds BIGINT DEFAULT 0 NOT NULL, held_micros BIGINT DEFAULT 0 NOT NULL,
  paid_seconds BIGINT DEFAULT 0 NOT NULL, charge_micros BIGINT DEFAULT 0 NOT NULL,
  settled BIGINT DEFAULT 0 NOT NULL, free BIGINT DEFAULT 0 NOT NULL, PRIMARY KEY (id),
  CONSTRAINT uq_legs_attempt UNIQUE (call_id, n, attempt)
);
CREATE INDEX ix_legs_unsettled ON legs (call_id) WHERE settled = 0 AND holds > 0;

CREATE TABLE shards (
  shard INTEGER NOT NULL, owner TEXT NOT NULL, epoch BIGINT NOT NULL,
  lease_until_wall_ms BIGINT NOT NULL, PRIMARY KEY (shard)
);

CREATE TABLE ports (
  switch TEXT NOT NULL, trunk TEXT NOT NULL, used BIGINT NOT NULL,
  CONSTRAINT pk_ports PRIMARY KEY (switch, trunk)
);

CREATE TABLE counters (
  subject TEXT NOT NULL, kind TEXT NOT NULL, bucket BIGINT NOT NULL, value BIGINT NOT NULL,
  CONSTRAINT pk_counters PRIMARY KEY (subject, kind, bucket)
);
CREATE INDEX ix_counters_callees ON counters (bucket) WHERE (substr(kind, 1, 7) = 'callee:' OR substr(kind, 1, 6) = 'block:');
CREATE INDEX ix_counters_kind ON counters (kind, bucket);

CREATE TABLE tariffs (
  name TEXT NOT NULL, currency TEXT NOT NULL, timezone TEXT NOT NULL,
  quantum_micros BIGINT NOT NULL, active_version BIGINT NOT NULL, loaded_version BIGINT NOT NULL,
  PRIMARY KEY (name)
);

CREATE TABLE rates (
  tariff TEXT NOT NULL, version BIGINT NOT NULL, "row" BIGINT NOT NULL, prefix TEXT NOT NULL,
  destination TEXT NOT NULL, price_micros_per_minute BIGINT NOT NULL,
  connect_fee_micros BIGINT NOT NULL, first_increment_s BIGINT NOT NULL,
  next_increment_s BIGINT NOT NULL, minimum_s BIGINT NOT NULL, effective_from_ms BIGINT,
  effective_to_ms BIGINT, days TEXT NOT NULL, hours TEXT NOT NULL, blocked BIGINT NOT NULL,
  CONSTRAINT pk_rates PRIMARY KEY (tariff, version, "row")
);

CREATE TABLE accounts (
  id TEXT NOT NULL, currency TEXT NOT NULL, kind TEXT NOT NULL, credit_limit_micros BIGINT,
  debits_pending BIGINT DEFAULT 0 NOT NULL, debits_posted BIGINT DEFAULT 0 NOT NULL,
  credits_pending BIGINT DEFAULT 0 NOT NULL, credits_posted BIGINT DEFAULT 0 NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE transfers (
  id TEXT NOT NULL, debit_account TEXT NOT NULL, credit_account TEXT NOT NULL,
  amount_micros BIGINT NOT NULL, currency TEXT NOT NULL, kind TEXT NOT NULL,
  pending_id TEXT NOT NULL, code TEXT NOT NULL, call_id TEXT NOT NULL, leg_id TEXT NOT NULL,
  at_call_ms BIGINT NOT NULL, at_wall_ms BIGINT NOT NULL, PRIMARY KEY (id)
);
CREATE INDEX ix_transfers_call ON transfers (call_id);
CREATE INDEX ix_transfers_wall ON transfers (at_wall_ms);
CREATE UNIQUE INDEX uq_transfers_end ON transfers (pending_id) WHERE pending_id <> '';

CREATE TABLE cdrs (
  id TEXT NOT NULL, call_id TEXT NOT NULL, ref TEXT NOT NULL, customer_id TEXT NOT NULL,
  user_id TEXT NOT NULL, party BIGINT NOT NULL, attempt BIGINT NOT NULL, leg TEXT NOT NULL,
  channel TEXT NOT NULL, request_id TEXT NOT NULL, "user" TEXT NOT NULL,
  from_number_id TEXT NOT NULL, to_number_id TEXT NOT NULL, destination TEXT NOT NULL,
  prefix TEXT NOT NULL, rate_id TEXT NOT NULL, setup_call_ms BIGINT NOT NULL,
  answer_call_ms BIGINT, end_call_ms BIGINT NOT NULL, end_estimated BIGINT NOT NULL,
  duration_s BIGINT NOT NULL, billable_s BIGINT NOT NULL, price_micros_per_minute BIGINT NOT NULL,
  connect_fee_micros BIGINT NOT NULL, charge_micros BIGINT NOT NULL, tax_micros BIGINT NOT NULL,
  total_micros BIGINT NOT NULL, currency TEXT NOT NULL, buy_cost_micros BIGINT NOT NULL,
  buy_currency TEXT NOT NULL, billing_code TEXT NOT NULL, hangup_cause TEXT NOT NULL,
  hangup_by TEXT NOT NULL, switch TEXT NOT NULL, trunk TEXT NOT NULL, explanation TEXT NOT NULL,
  created_wall_ms BIGINT NOT NULL, PRIMARY KEY (id)
);
CREATE INDEX ix_cdrs_call ON cdrs (call_id);
CREATE INDEX ix_cdrs_created ON cdrs (created_wall_ms, id);
CREATE INDEX ix_cdrs_customer ON cdrs (customer_id, created_wall_ms, id);
CREATE INDEX ix_cdrs_user ON cdrs (user_id, created_wall_ms, id);

CREATE TABLE cdr_amendments (
  id TEXT NOT NULL, cdr_id TEXT NOT NULL, call_id TEXT NOT NULL, field TEXT NOT NULL,
  "old" TEXT NOT NULL, "new" TEXT NOT NULL, reason TEXT NOT NULL, actor TEXT NOT NULL,
  transfer_id TEXT NOT NULL, at_wall_ms BIGINT NOT NULL, PRIMARY KEY (id)
);
CREATE INDEX ix_cdr_amendments_call ON cdr_amendments (call_id);
CREATE INDEX ix_cdr_amendments_cdr ON cdr_amendments (cdr_id);

CREATE TABLE customers (
  id TEXT NOT NULL, name TEXT NOT NULL, currency TEXT NOT NULL, "plan" TEXT NOT NULL,
  credit_limit_micros BIGINT DEFAULT 0 NOT NULL, tariff TEXT NOT NULL, regions TEXT NOT NULL,
  opted_in TEXT DEFAULT '' NOT NULL, daily_spend_micros BIGINT, vouched_daily_spend_micros BIGINT,
  concurrent_calls BIGINT, billing_code_required BIGINT DEFAULT 0 NOT NULL,
  state TEXT DEFAULT 'active' NOT NULL, launched_calls BIGINT DEFAULT 0 NOT NULL,
  created_wall_ms BIGINT NOT NULL, PRIMARY KEY (id), CONSTRAINT uq_customers_name UNIQUE (name)
);

CREATE TABLE users (
  id TEXT NOT NULL, customer_id TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
  timezone TEXT NOT NULL, country TEXT NOT NULL, area_code TEXT DEFAULT '' NOT NULL,
  state TEXT DEFAULT 'active' NOT NULL, default_phone_id TEXT DEFAULT '' NOT NULL,
  password_hash TEXT DEFAULT '' NOT NULL, created_wall_ms BIGINT NOT NULL, PRIMARY KEY (id)
);
CREATE INDEX ix_users_customer ON users (customer_id, name);

CREATE TABLE senders (
  id TEXT NOT NULL, user_id TEXT NOT NULL, space TEXT NOT NULL, address TEXT NOT NULL,
  channel TEXT NOT NULL, position BIGINT DEFAULT 0 NOT NULL, opted_out BIGINT DEFAULT 0 NOT NULL,
  created_wall_ms BIGINT NOT NULL, PRIMARY KEY (id),
  CONSTRAINT uq_senders_address UNIQUE (space, address)
);
CREATE INDEX ix_senders_user ON senders (user_id, position);

CREATE TABLE phones (
  id TEXT NOT NULL, user_id TEXT NOT NULL, label TEXT NOT NULL, folded TEXT NOT NULL,
  number TEXT NOT NULL, extension TEXT DEFAULT '' NOT NULL, verified TEXT DEFAULT '' NOT NULL,
  accept_key BIGINT DEFAULT 1 NOT NULL, created_wall_ms BIGINT NOT NULL, PRIMARY KEY (id),
  CONSTRAINT uq_phones_label UNIQUE (user_id, folded)
);

CREATE TABLE directory (
  customer_id TEXT NOT NULL, user_id TEXT NOT NULL, folded TEXT NOT NULL, name TEXT NOT NULL,
  number TEXT NOT NULL, extension TEXT DEFAULT '' NOT NULL,
  CONSTRAINT pk_directory PRIMARY KEY (customer_id, user_id, folded)
);

CREATE TABLE speed_dials (
  user_id TEXT NOT NULL, slot BIGINT NOT NULL, target TEXT NOT NULL,
  CONSTRAINT pk_speed_dials PRIMARY KEY (user_id, slot)
);

CREATE TABLE billing_codes (
  customer_id TEXT NOT NULL, code TEXT NOT NULL,
  CONSTRAINT pk_billing_codes PRIMARY KEY (customer_id, code)
);

CREATE TABLE tokens (
  id TEXT NOT NULL, user_id TEXT NOT NULL, hash TEXT NOT NULL, label TEXT NOT NULL,
  scopes TEXT NOT NULL, created_wall_ms BIGINT NOT NULL, expires_wall_ms BIGINT,
  last_used_wall_ms BIGINT, revoked_wall_ms BIGINT, PRIMARY KEY (id),
  CONSTRAINT uq_tokens_hash UNIQUE (hash)
);
CREATE INDEX ix_tokens_user ON tokens (user_id);

CREATE TABLE sessions (
  hash TEXT NOT NULL, user_id TEXT NOT NULL, address TEXT NOT NULL,
  created_wall_ms BIGINT NOT NULL, expires_wall_ms BIGINT NOT NULL, revoked_wall_ms BIGINT,
  PRIMARY KEY (hash)
);

CREATE TABLE sign_in_codes (
  address TEXT NOT NULL, user_id TEXT NOT NULL, hash TEXT NOT NULL,
  expires_wall_ms BIGINT NOT NULL, tries BIGINT DEFAULT 0 NOT NULL, PRIMARY KEY (address)
);

CREATE TABLE freezes (
  kind TEXT NOT NULL, target TEXT NOT NULL, created_wall_ms BIGINT NOT NULL,
  CONSTRAINT pk_freezes PRIMARY KEY (kind, target)
);

CREATE TABLE audit (
  node TEXT NOT NULL, seq BIGINT NOT NULL, previous_hash TEXT NOT NULL, hash TEXT NOT NULL,
  at_wall_ms BIGINT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,
  detail TEXT NOT NULL, CONSTRAINT pk_audit PRIMARY KEY (node, seq)
);
CREATE INDEX ix_audit_subject ON audit (subject);

CREATE TABLE facts (
  "key" TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY ("key")
);

CREATE TABLE inbox (
  seq {seq} NOT NULL, space TEXT NOT NULL, principal TEXT NOT NULL, external_id TEXT NOT NULL,
  fingerprint TEXT NOT NULL, lane BIGINT NOT NULL, received_wall_ms BIGINT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (seq),
  CONSTRAINT uq_inbox_claim UNIQUE (space, principal, external_id)
);

CREATE TABLE requests (
  id TEXT NOT NULL, space TEXT NOT NULL, principal TEXT NOT NULL, external_id TEXT NOT NULL,
  fingerprint TEXT NOT NULL, channel TEXT NOT NULL, user_id TEXT NOT NULL, sender TEXT NOT NULL,
  evidence BIGINT NOT NULL, received_wall_ms BIGINT NOT NULL, sent_wall_ms BIGINT,
  text TEXT NOT NULL, thread TEXT NOT NULL, outcome TEXT NOT NULL, call_id TEXT NOT NULL,
  PRIMARY KEY (id), CONSTRAINT uq_requests_claim UNIQUE (space, principal, external_id)
);
CREATE INDEX ix_requests_received ON requests (received_wall_ms);
CREATE INDEX ix_requests_text ON requests (received_wall_ms) WHERE text <> '';
CREATE INDEX ix_requests_user ON requests (user_id, received_wall_ms);

CREATE TABLE replay_claims (
  space TEXT NOT NULL, replay_id TEXT NOT NULL, request_id TEXT NOT NULL,
  seen_wall_ms BIGINT NOT NULL, CONSTRAINT pk_replay_claims PRIMARY KEY (space, replay_id)
);
CREATE INDEX ix_replay_claims_seen ON replay_claims (seen_wall_ms);

CREATE TABLE questions (
  user_id TEXT NOT NULL, ref TEXT NOT NULL, body TEXT NOT NULL, expires_wall_ms BIGINT NOT NULL,
  PRIMARY KEY (user_id)
);

CREATE TABLE list_rests (
  user_id TEXT NOT NULL, body TEXT NOT NULL, expires_wall_ms BIGINT NOT NULL, PRIMARY KEY (user_id)
);

CREATE TABLE undos (
  user_id TEXT NOT NULL, body TEXT NOT NULL, expires_wall_ms BIGINT NOT NULL, PRIMARY KEY (user_id)
);

CREATE TABLE outbox (
  seq {seq} NOT NULL, id TEXT NOT NULL, user_id TEXT NOT NULL, channel TEXT NOT NULL,
  address TEXT NOT NULL, call_id TEXT NOT NULL, ref TEXT NOT NULL, kind TEXT NOT NULL,
  body TEXT NOT NULL, thread TEXT NOT NULL, timezone TEXT NOT NULL,
  created_wall_ms BIGINT NOT NULL, due_wall_ms BIGINT NOT NULL, expires_wall_ms BIGINT,
  attempted_wall_ms BIGINT, attempts BIGINT DEFAULT 0 NOT NULL,
  state TEXT DEFAULT 'waiting' NOT NULL, tried TEXT DEFAULT '' NOT NULL, PRIMARY KEY (seq),
  CONSTRAINT uq_outbox_id UNIQUE (id)
);
CREATE INDEX ix_outbox_created ON outbox (created_wall_ms);
CREATE INDEX ix_outbox_order ON outbox (address, call_id, seq) WHERE state = 'waiting';
CREATE INDEX ix_outbox_waiting ON outbox (channel, due_wall_ms, seq) WHERE state = 'waiting';
