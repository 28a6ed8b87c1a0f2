-- One table a subject; times are milliseconds since the epoch, ids and names are text. Portable SQL only:
-- the same migrations run on SQLite and on PostgreSQL.

-- Single values: the broker's epoch and cluster id.
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- The relay's steps along Git's history; at most one is open.
CREATE TABLE relay_steps (
    revision    BIGINT NOT NULL PRIMARY KEY,
    from_commit TEXT,
    to_commit   TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    holder      TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    opened_at   BIGINT NOT NULL,
    closed_at   BIGINT
);
CREATE UNIQUE INDEX relay_steps_one_open ON relay_steps (state) WHERE state = 'open';

-- The effective state: for every path the newest blob that was valid on the relayed line.
CREATE TABLE effective_files (
    path    TEXT NOT NULL PRIMARY KEY,
    content TEXT NOT NULL
);

-- What each deployment's gateway was last ordered to do.
CREATE TABLE ordered (
    tenant      TEXT   NOT NULL,
    api         TEXT   NOT NULL,
    environment TEXT   NOT NULL,
    gateway     TEXT   NOT NULL,
    order_id    TEXT   NOT NULL,
    kind        TEXT   NOT NULL,
    digest      TEXT   NOT NULL,
    epoch       BIGINT NOT NULL,
    revision    BIGINT NOT NULL,
    target      TEXT   NOT NULL,
    PRIMARY KEY (tenant, api, environment, gateway)
);

-- How far the catalogue topics are written: for `catalog-heads`.
CREATE TABLE catalog_positions (
    topic       TEXT   NOT NULL,
    part        BIGINT NOT NULL,
    next_offset BIGINT NOT NULL,
    PRIMARY KEY (topic, part)
);

-- How far a projection has come; a row is moved in the transaction of what it covers.
CREATE TABLE consumed (
    epoch BIGINT NOT NULL,
    topic TEXT   NOT NULL,
    part  BIGINT NOT NULL,
    next  BIGINT NOT NULL,
    PRIMARY KEY (epoch, topic, part)
);

-- Orders and what became of them. A deployment of the REST API is a group of orders.
CREATE TABLE deployments (
    order_id       TEXT   NOT NULL PRIMARY KEY,
    request_group  TEXT   NOT NULL,
    tenant         TEXT   NOT NULL,
    api            TEXT   NOT NULL,
    environment    TEXT   NOT NULL,
    gateway        TEXT   NOT NULL,
    kind           TEXT   NOT NULL,
    epoch          BIGINT NOT NULL,
    revision       BIGINT NOT NULL,
    commit_id      TEXT   NOT NULL,
    content_commit TEXT   NOT NULL,
    version        TEXT   NOT NULL,
    digest         TEXT   NOT NULL,
    actor          TEXT   NOT NULL,
    trace          TEXT   NOT NULL,
    status         TEXT   NOT NULL,
    reason         TEXT,
    message        TEXT,
    ordered_at     BIGINT NOT NULL,
    finished_at    BIGINT
);
CREATE INDEX deployments_of_tenant ON deployments (tenant, revision, order_id);
CREATE INDEX deployments_of_group ON deployments (request_group);

CREATE TABLE deployment_steps (
    order_id TEXT   NOT NULL,
    sequence BIGINT NOT NULL,
    step     TEXT   NOT NULL,
    phase    TEXT   NOT NULL,
    attempt  BIGINT NOT NULL,
    message  TEXT,
    at       BIGINT NOT NULL,
    PRIMARY KEY (order_id, sequence)
);

-- One change followed from its commit to the gateways; one trace per step and tenant.
CREATE TABLE traces (
    id           TEXT   NOT NULL PRIMARY KEY,
    tenant       TEXT   NOT NULL,
    cause        TEXT   NOT NULL,
    actor        TEXT   NOT NULL,
    commit_id    TEXT   NOT NULL,
    message      TEXT   NOT NULL,
    revision     BIGINT NOT NULL,
    status       TEXT   NOT NULL,
    pending      BIGINT NOT NULL,
    failed       BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    completed_at BIGINT
);
CREATE INDEX traces_of_tenant ON traces (tenant, revision);

CREATE TABLE trace_entries (
    trace    TEXT   NOT NULL,
    sequence BIGINT NOT NULL,
    ce_id    TEXT   NOT NULL,
    name     TEXT   NOT NULL,
    status   TEXT   NOT NULL,
    detail   TEXT,
    at       BIGINT NOT NULL,
    PRIMARY KEY (trace, sequence)
);
CREATE UNIQUE INDEX trace_entries_once ON trace_entries (trace, ce_id);

-- What a tenant's stream shows, numbered without gaps under the tenant's row in `stream_heads`.
CREATE TABLE stream_heads (
    tenant TEXT   NOT NULL PRIMARY KEY,
    last   BIGINT NOT NULL
);
CREATE TABLE stream_events (
    tenant   TEXT   NOT NULL,
    sequence BIGINT NOT NULL,
    ce_id    TEXT   NOT NULL,
    kind     TEXT   NOT NULL,
    data     TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (tenant, sequence)
);
CREATE UNIQUE INDEX stream_events_once ON stream_events (tenant, ce_id);

-- Answers kept for repeats with the same Idempotency-Key.
CREATE TABLE idempotency (
    principal   TEXT   NOT NULL,
    route       TEXT   NOT NULL,
    idem_key    TEXT   NOT NULL,
    body_digest TEXT   NOT NULL,
    lease_until BIGINT NOT NULL,
    status      BIGINT,
    headers     TEXT,
    body        TEXT,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (principal, route, idem_key)
);

-- Requests that came by topic and what became of them: a repeat gets the same outcome.
CREATE TABLE requests (
    tenant     TEXT   NOT NULL,
    request_id TEXT   NOT NULL,
    topic      TEXT   NOT NULL,
    value_digest TEXT NOT NULL,
    outcome    TEXT   NOT NULL,
    reason     TEXT,
    message    TEXT,
    commit_id  TEXT,
    request_group TEXT,
    at         BIGINT NOT NULL,
    PRIMARY KEY (tenant, request_id)
);
