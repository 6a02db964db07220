-- The same tables as ../postgres/0001_initial.sql, column for column; a test holds that. STRICT tables
-- know INTEGER, REAL, TEXT and BLOB. Times are microseconds since 1970, UTC.

CREATE TABLE installation (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- People ------------------------------------------------------------------------------------

CREATE TABLE organizations (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL UNIQUE,              -- folded, so that two spellings do not coexist
    time_zone  TEXT NOT NULL,
    is_host    INTEGER NOT NULL CHECK (is_host IN (0, 1)),
    created_at INTEGER NOT NULL,
    version    INTEGER NOT NULL
) STRICT;

CREATE TABLE accounts (
    id                   TEXT PRIMARY KEY,
    organization_id      TEXT NOT NULL REFERENCES organizations (id),
    email                TEXT NOT NULL UNIQUE,     -- lowercase
    user_name            TEXT NOT NULL UNIQUE,     -- lowercase
    name                 TEXT NOT NULL,
    password_hash        TEXT,                     -- PHC string; NULL: cannot sign in by password
    must_change_password INTEGER NOT NULL CHECK (must_change_password IN (0, 1)),
    disabled_at          INTEGER,
    last_seen_at         INTEGER,
    search_text          TEXT NOT NULL,            -- folded
    created_at           INTEGER NOT NULL,
    version              INTEGER NOT NULL
) STRICT;
CREATE INDEX accounts_by_organization ON accounts (organization_id);

-- A role held for one organization, or for all ('').
CREATE TABLE account_roles (
    account_id      TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    role            TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    PRIMARY KEY (account_id, role, organization_id)
) STRICT;

CREATE TABLE groups (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name            TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    version         INTEGER NOT NULL
) STRICT;

CREATE TABLE group_members (
    group_id   TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, account_id)
) STRICT;
CREATE INDEX group_members_by_account ON group_members (account_id);

CREATE TABLE sessions (
    token_hash   TEXT PRIMARY KEY,                 -- SHA-256, hex
    account_id   TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_account ON sessions (account_id);

CREATE TABLE tokens (
    id           TEXT PRIMARY KEY,
    account_id   TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    token_hash   TEXT NOT NULL UNIQUE,             -- SHA-256, hex
    scopes       TEXT NOT NULL,                    -- privileges, blank-separated; empty: all of the account's
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    expires_at   INTEGER,
    revoked_at   INTEGER
) STRICT;
CREATE INDEX tokens_by_account ON tokens (account_id);

-- Tries to sign in, by account and address together, and by address alone.
CREATE TABLE sign_in_failures (
    what         TEXT PRIMARY KEY,
    failures     INTEGER NOT NULL,
    last_at      INTEGER NOT NULL,
    succeeded_at INTEGER
) STRICT;

-- Registry ----------------------------------------------------------------------------------

CREATE TABLE connectors (
    id               TEXT PRIMARY KEY,
    organization_id  TEXT NOT NULL REFERENCES organizations (id),
    name             TEXT NOT NULL,
    key_hash         TEXT NOT NULL UNIQUE,         -- SHA-256, hex
    adapter          TEXT,
    software         TEXT,                         -- name and version of the connector
    protocol_version INTEGER,
    source_sequence  INTEGER NOT NULL,              -- of the last set of sources or delta
    clock_offset_ms  INTEGER,
    problem          TEXT,                         -- JSON {text, what_to_do}
    last_seen_at     INTEGER,
    revoked_at       INTEGER,
    created_at       INTEGER NOT NULL,
    version          INTEGER NOT NULL
) STRICT;

CREATE TABLE cameras (
    id                   TEXT PRIMARY KEY,
    organization_id      TEXT NOT NULL REFERENCES organizations (id),
    connector_id         TEXT REFERENCES connectors (id),
    device_id            TEXT,                     -- in the source system
    name                 TEXT NOT NULL,
    name_key             TEXT NOT NULL,            -- folded, for sorting
    description          TEXT NOT NULL,
    site                 TEXT,
    lat                  REAL,
    lon                  REAL,
    cell                 INTEGER,                   -- S2 leaf cell, xor 1 << 63, so that order is kept
    address              TEXT,
    mounting_height_m    REAL,
    bearing_deg          REAL,
    fov_deg              REAL,
    tilt_deg             REAL,
    range_m              REAL,
    kind                 TEXT,                     -- fixed, panning, dome
    tags                 TEXT NOT NULL,            -- JSON array
    retention_hours      INTEGER,
    clock_offset_ms      INTEGER,
    clock_uncertainty_ms INTEGER,
    last_seen_at         INTEGER,
    make                 TEXT,
    model                TEXT,
    custom               TEXT NOT NULL,            -- JSON object
    origins              TEXT NOT NULL,            -- JSON object: field to connector or office
    published            INTEGER NOT NULL CHECK (published IN (0, 1)),
    vanished_at          INTEGER,
    thumbnail_blob       TEXT,
    thumbnail_sha256     TEXT,                     -- hex
    thumbnail_at         INTEGER,
    search_text          TEXT NOT NULL,            -- folded
    created_at           INTEGER NOT NULL,
    updated_at           INTEGER NOT NULL,
    version              INTEGER NOT NULL,
    UNIQUE (connector_id, device_id)
) STRICT;
CREATE INDEX cameras_by_cell ON cameras (cell, lat, lon);
CREATE INDEX cameras_by_name ON cameras (name_key, id);
CREATE INDEX cameras_by_organization ON cameras (organization_id);

CREATE TABLE camera_tags (
    camera_id TEXT NOT NULL REFERENCES cameras (id) ON DELETE CASCADE,
    tag       TEXT NOT NULL,
    PRIMARY KEY (tag, camera_id)
) STRICT;

-- What is known of recordings: the spans of the last answer that covers a time.
CREATE TABLE camera_coverage (
    camera_id TEXT NOT NULL REFERENCES cameras (id) ON DELETE CASCADE,
    from_at   INTEGER NOT NULL,
    to_at     INTEGER NOT NULL,
    asked_at  INTEGER NOT NULL,
    spans     TEXT NOT NULL,                       -- JSON [{from, to}]
    complete  INTEGER NOT NULL CHECK (complete IN (0, 1)),
    PRIMARY KEY (camera_id, from_at, to_at)
) STRICT;

-- Requests ----------------------------------------------------------------------------------

-- Running numbers; scope is the template and the part of the date that it names.
CREATE TABLE counters (
    scope TEXT PRIMARY KEY,
    last  INTEGER NOT NULL
) STRICT;

CREATE TABLE cases (
    id          TEXT PRIMARY KEY,
    number      TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    created_by  TEXT NOT NULL REFERENCES accounts (id),
    closed_at   INTEGER,
    search_text TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    version     INTEGER NOT NULL
) STRICT;

CREATE TABLE case_access (
    case_id      TEXT NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    principal_id TEXT NOT NULL,                    -- an account or a group
    level        INTEGER NOT NULL CHECK (level BETWEEN 1 AND 4), -- view, download, edit, manage
    expires_at   INTEGER,
    PRIMARY KEY (case_id, principal_id)
) STRICT;
CREATE INDEX case_access_by_principal ON case_access (principal_id);

CREATE TABLE video_requests (
    id              TEXT PRIMARY KEY,
    number          TEXT NOT NULL UNIQUE,
    name            TEXT NOT NULL,
    category        TEXT,
    reason          TEXT,
    requester_id    TEXT NOT NULL REFERENCES accounts (id),
    organization_id TEXT NOT NULL REFERENCES organizations (id), -- the requester's
    incident_number TEXT,
    incident_from   INTEGER NOT NULL,
    incident_to     INTEGER NOT NULL,
    lat             REAL,
    lon             REAL,
    address         TEXT,
    needed_by       INTEGER,
    case_id         TEXT REFERENCES cases (id),
    status          TEXT NOT NULL,                 -- computed from the items, kept for filtering
    open            INTEGER NOT NULL CHECK (open IN (0, 1)),
    overwrite_at    INTEGER,                        -- earliest of the open items, kept for sorting
    search_text     TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    version         INTEGER NOT NULL
) STRICT;
CREATE INDEX video_requests_by_time ON video_requests (created_at, id);
CREATE INDEX video_requests_by_requester ON video_requests (requester_id, created_at);
CREATE INDEX video_requests_by_status ON video_requests (status, created_at);
CREATE INDEX video_requests_by_case ON video_requests (case_id);

CREATE TABLE request_items (
    id                    TEXT PRIMARY KEY,
    request_id            TEXT NOT NULL REFERENCES video_requests (id),
    ordinal               INTEGER NOT NULL,
    source_id             TEXT,                    -- NULL: asks for the place
    organization_id       TEXT NOT NULL REFERENCES organizations (id), -- the owner; the host for a place
    channels              TEXT,                    -- JSON array
    from_at               INTEGER NOT NULL,
    to_at                 INTEGER NOT NULL,
    granted_from          INTEGER,
    granted_to            INTEGER,
    state                 TEXT NOT NULL,
    reason_code           TEXT,
    reason_detail         TEXT,
    hold                  TEXT NOT NULL,
    review_before_release INTEGER NOT NULL CHECK (review_before_release IN (0, 1)),
    level                 TEXT,                    -- view or download
    decided_by            TEXT REFERENCES accounts (id),
    decided_at            INTEGER,
    bytes_done            INTEGER,
    bytes_total           INTEGER,
    attempts              INTEGER NOT NULL,
    overwrite_at          INTEGER,
    deadline_at           INTEGER,
    version               INTEGER NOT NULL,
    UNIQUE (request_id, ordinal)
) STRICT;
CREATE INDEX request_items_by_owner ON request_items (organization_id, state);
CREATE INDEX request_items_by_source ON request_items (source_id);
CREATE INDEX request_items_by_deadline ON request_items (deadline_at);

CREATE TABLE messages (
    id         TEXT PRIMARY KEY,
    request_id TEXT NOT NULL REFERENCES video_requests (id),
    item_id    TEXT REFERENCES request_items (id),
    kind       TEXT NOT NULL,                      -- comment, question, answer, decision
    author_id  TEXT REFERENCES accounts (id),
    body       TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX messages_by_request ON messages (request_id, created_at);

-- What a POST with an Idempotency-Key created.
CREATE TABLE idempotency_keys (
    account_id TEXT NOT NULL,
    operation  TEXT NOT NULL,
    name       TEXT NOT NULL,
    body_hash  TEXT NOT NULL,
    object_id  TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, operation, name)
) STRICT;

-- Evidence ----------------------------------------------------------------------------------

CREATE TABLE evidence (
    id               TEXT PRIMARY KEY,
    case_id          TEXT REFERENCES cases (id),   -- set before anything is released into it
    request_id       TEXT REFERENCES video_requests (id),
    item_id          TEXT REFERENCES request_items (id),
    organization_id  TEXT NOT NULL REFERENCES organizations (id), -- the owner's; the host's by hand
    source_id        TEXT,
    upload_id        TEXT UNIQUE,                  -- one upload becomes one evidence, however often it is finished
    name             TEXT NOT NULL,
    size_bytes       INTEGER NOT NULL,
    sha256           TEXT NOT NULL,
    blob             TEXT NOT NULL UNIQUE,
    media            TEXT,                         -- JSON
    recorded_from    INTEGER,
    recorded_to      INTEGER,
    gaps             TEXT,                         -- JSON [{from, to}]
    clock_offset_ms  INTEGER,
    manifest         TEXT,                         -- JSON, as the connector gave it
    release_level    TEXT NOT NULL,                -- view or download: the most that a reader of the case gets
    released_at      INTEGER,
    playable_state   TEXT NOT NULL,                -- waiting, ready, failed
    playable_error   TEXT,
    playable_blob    TEXT,
    playable_bytes   INTEGER,
    playable_sha256  TEXT,
    thumbnail_blob   TEXT,
    thumbnail_bytes  INTEGER,
    thumbnail_sha256 TEXT,
    received_by      TEXT,                         -- account, connector or file request
    created_at       INTEGER NOT NULL,
    version          INTEGER NOT NULL
) STRICT;
CREATE INDEX evidence_by_case ON evidence (case_id, created_at);
CREATE INDEX evidence_by_item ON evidence (item_id);

-- The last logged look of a person at a file; a new one is logged after a while.
CREATE TABLE evidence_looks (
    evidence_id TEXT NOT NULL REFERENCES evidence (id) ON DELETE CASCADE,
    viewer_id   TEXT NOT NULL,
    what        TEXT NOT NULL,                     -- play, original, thumbnail
    logged_at   INTEGER NOT NULL,
    PRIMARY KEY (evidence_id, viewer_id, what)
) STRICT;

CREATE TABLE file_requests (
    id          TEXT PRIMARY KEY,
    item_id     TEXT REFERENCES request_items (id),
    case_id     TEXT REFERENCES cases (id),
    name        TEXT NOT NULL,
    description TEXT,
    token_hash  TEXT NOT NULL UNIQUE,              -- SHA-256, hex
    answer      TEXT,
    comment     TEXT,
    created_by  TEXT,
    expires_at  INTEGER NOT NULL,
    revoked_at  INTEGER,
    finished_at INTEGER,
    created_at  INTEGER NOT NULL,
    version     INTEGER NOT NULL
) STRICT;
CREATE INDEX file_requests_by_item ON file_requests (item_id);
CREATE INDEX file_requests_by_case ON file_requests (case_id);

CREATE TABLE uploads (
    id              TEXT PRIMARY KEY,
    purpose         TEXT NOT NULL,                 -- case, item, link, task
    object_id       TEXT NOT NULL,                 -- of the case, item, file request or task
    lease           INTEGER,                        -- of the task
    owner           TEXT NOT NULL,                 -- account, file request or connector
    file_name       TEXT NOT NULL,
    file_type       TEXT,
    metadata        TEXT NOT NULL,                 -- Upload-Metadata as it came
    length_bytes    INTEGER NOT NULL,
    state           TEXT NOT NULL,                 -- open, finished, terminated
    sha256          TEXT,                          -- of the whole, when finished
    blob            TEXT,
    evidence_id     TEXT,
    expires_at      INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    finished_at     INTEGER
) STRICT;
CREATE INDEX uploads_by_object ON uploads (object_id);
CREATE INDEX uploads_by_expiry ON uploads (state, expires_at);

-- Connectors' work --------------------------------------------------------------------------

CREATE TABLE connector_tasks (
    id           TEXT PRIMARY KEY,
    connector_id TEXT NOT NULL REFERENCES connectors (id),
    kind         TEXT NOT NULL,                    -- discover, thumbnail, coverage, hold, export, free
    item_id      TEXT REFERENCES request_items (id),
    camera_id    TEXT,
    payload      TEXT NOT NULL,                    -- JSON
    state        TEXT NOT NULL,                    -- waiting, leased, done, failed, canceled
    lease        INTEGER NOT NULL,                  -- rises with every lease; a call with an older one is refused
    lease_until  INTEGER NOT NULL,
    run_at       INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    phase        TEXT,
    bytes_done   INTEGER,
    bytes_total  INTEGER,
    result       TEXT,                             -- JSON
    last_error   TEXT,
    created_at   INTEGER NOT NULL,
    ended_at     INTEGER
) STRICT;
CREATE INDEX connector_tasks_to_lease ON connector_tasks (connector_id, state, run_at);
CREATE INDEX connector_tasks_by_item ON connector_tasks (item_id);

-- Side effects ------------------------------------------------------------------------------

CREATE TABLE jobs (
    id          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL,
    payload     TEXT NOT NULL,                     -- JSON
    only_once   TEXT UNIQUE,                       -- while it lives, no second job of this name
    state       TEXT NOT NULL,                     -- waiting, dead
    run_at      INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    last_error  TEXT,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_to_run ON jobs (state, run_at);

CREATE TABLE mails (
    id          TEXT PRIMARY KEY,                  -- also the Message-ID's local part
    template    TEXT NOT NULL,
    object_id   TEXT,
    account_id  TEXT,
    recipient   TEXT NOT NULL,
    subject     TEXT NOT NULL,
    search_text TEXT NOT NULL,                     -- recipient and subject, folded
    body_text   TEXT NOT NULL,
    body_html   TEXT NOT NULL,
    state       TEXT NOT NULL,                     -- waiting, sent, kept, dead
    run_at      INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    last_error  TEXT,
    created_at  INTEGER NOT NULL,
    sent_at     INTEGER
) STRICT;
CREATE INDEX mails_to_send ON mails (state, run_at);
CREATE INDEX mails_by_time ON mails (created_at, id);

-- Ledger ------------------------------------------------------------------------------------

CREATE TABLE events (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,
    at         INTEGER NOT NULL,
    kind       TEXT NOT NULL,                      -- noun.verb
    actor      TEXT,                               -- account, token, connector or file request; NULL: the server itself
    objects    TEXT NOT NULL,                      -- JSON object: noun to id
    data       TEXT NOT NULL,                      -- JSON object, public: states, sizes, hashes
    personal   TEXT,                               -- JSON object, erasable; stands beside the leaf
    salt       BLOB,                              -- 32 bytes; erased together with personal
    commitment TEXT,                               -- hex; NULL where nothing personal was said
    erased_at  INTEGER,
    leaf_index INTEGER UNIQUE
) STRICT;
CREATE INDEX events_without_leaf ON events (leaf_index, seq);
CREATE INDEX events_by_time ON events (at);

-- Which objects an event is about, for histories.
CREATE TABLE event_objects (
    object_id TEXT NOT NULL,
    seq       INTEGER NOT NULL REFERENCES events (seq),
    PRIMARY KEY (object_id, seq)
) STRICT;

CREATE INDEX event_objects_by_seq ON event_objects (seq);

CREATE TABLE ledger (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    size        INTEGER NOT NULL,                   -- leaves under the last checkpoint
    root        TEXT NOT NULL,                     -- hex
    checkpoint  TEXT NOT NULL,                     -- the signed note
    signed_at   INTEGER NOT NULL,
    lease_until INTEGER NOT NULL
) STRICT;
