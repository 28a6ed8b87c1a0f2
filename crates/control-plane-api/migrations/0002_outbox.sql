-- What somebody wants now and Git does not hold: deployments that are to be brought to their gateways once more.
-- A row is written with the answer to whoever asked. The step of the relay that takes it sets its revision when
-- it begins, and removes it when it closes.
CREATE TABLE outbox (
    request     TEXT   NOT NULL PRIMARY KEY,
    tenant      TEXT   NOT NULL,
    api         TEXT   NOT NULL,
    environment TEXT   NOT NULL,
    gateways    TEXT   NOT NULL,
    actor       TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    revision    BIGINT
);
CREATE INDEX outbox_in_order ON outbox (revision, created_at, request);
