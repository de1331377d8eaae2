-- A store of schema version 1: one thread, a run that ended and one that worked when its process
-- died. Frozen: what later programs must open.
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE idempotency (
    tenant TEXT NOT NULL,
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    run INTEGER NOT NULL,
    thread INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, scope, key)
) STRICT, WITHOUT ROWID;
INSERT INTO "idempotency" VALUES('acme','scope','key','body',1,1,1700000000);
CREATE TABLE items (
    number INTEGER PRIMARY KEY,
    thread INTEGER NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    run_id TEXT,
    role TEXT,
    assistant_id TEXT,
    status TEXT NOT NULL,
    incomplete_reason TEXT,
    completed_at INTEGER,
    origin TEXT,
    metadata TEXT NOT NULL,
    payload BLOB NOT NULL,
    UNIQUE (thread, id)
) STRICT;
INSERT INTO "items" VALUES(1,1,'msg_one','message',1700000000,NULL,'user',NULL,'completed',NULL,NULL,NULL,'{}',X'7B2274797065223A226D657373616765222C22726F6C65223A2275736572222C22636F6E74656E74223A2268656C6C6F227D');
INSERT INTO "items" VALUES(2,1,'msg_two','message',1700000000,'run_one','assistant',NULL,'completed',NULL,NULL,NULL,'{}',X'7B2274797065223A226D657373616765222C22726F6C65223A2275736572222C22636F6E74656E74223A22616E73776572227D');
INSERT INTO "items" VALUES(3,1,'msg_three','message',1700000000,NULL,'user',NULL,'completed',NULL,NULL,NULL,'{}',X'7B2274797065223A226D657373616765222C22726F6C65223A2275736572222C22636F6E74656E74223A22616761696E227D');
CREATE TABLE key_uses (
    tenant TEXT NOT NULL,
    key TEXT NOT NULL,
    used_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;
INSERT INTO "key_uses" VALUES('acme','key_one',1700000000);
CREATE TABLE probe (filler BLOB NOT NULL) STRICT;
CREATE TABLE run_events (
    number INTEGER PRIMARY KEY,
    run INTEGER NOT NULL UNIQUE,
    kept_since INTEGER NOT NULL,
    deflated INTEGER NOT NULL,
    size INTEGER NOT NULL,
    log BLOB NOT NULL
) STRICT;
INSERT INTO "run_events" VALUES(1,1,1700000000,0,6,X'6576656E7473');
CREATE TABLE run_events_total (bytes INTEGER NOT NULL) STRICT;
INSERT INTO "run_events_total" VALUES(6);
CREATE TABLE runs (
    number INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    thread INTEGER NOT NULL,
    assistant_id TEXT NOT NULL,
    model TEXT NOT NULL,
    status TEXT NOT NULL,
    owner TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    correlation_id TEXT NOT NULL,
    head BLOB NOT NULL,
    ending BLOB,
    UNIQUE (tenant, id)
) STRICT;
INSERT INTO "runs" VALUES(1,'acme','run_one',1,'asst_acme_default','gpt-6-luna','completed','owner-1',1,1700000000,1700000060,'corr-1',X'7B2272756E5F6964223A2272756E5F6F6E65227D',X'7B22737461747573223A22636F6D706C65746564227D');
INSERT INTO "runs" VALUES(2,'acme','run_two',1,'asst_acme_default','gpt-6-luna','in_progress','owner-1',1,1700000000,NULL,'corr-1',X'7B2272756E5F6964223A2272756E5F74776F227D',NULL);
CREATE TABLE threads (
    number INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    metadata TEXT NOT NULL,
    end_user TEXT,
    UNIQUE (tenant, id)
) STRICT;
INSERT INTO "threads" VALUES(1,'acme','thread_one',1700000000,'{"colour":"blue"}','ada');
CREATE INDEX items_in_order ON items (thread);
CREATE INDEX runs_of_thread ON runs (thread);
CREATE UNIQUE INDEX runs_active ON runs (thread) WHERE ended_at IS NULL;
CREATE INDEX idempotency_of_thread ON idempotency (thread);
CREATE INDEX idempotency_by_age ON idempotency (created_at);
CREATE TRIGGER run_events_added AFTER INSERT ON run_events BEGIN
    UPDATE run_events_total SET bytes = bytes + new.size;
END;
CREATE TRIGGER run_events_removed AFTER DELETE ON run_events BEGIN
    UPDATE run_events_total SET bytes = bytes - old.size;
END;
COMMIT;
