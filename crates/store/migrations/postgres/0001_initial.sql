-- Types are TEXT, BIGINT, DOUBLE PRECISION and BYTEA only. Times are microseconds since 1970, UTC.
-- Ids are TypeIDs. Booleans are 0 or 1. JSON is text and never queried by path.

CREATE TABLE installation (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- People ------------------------------------------------------------------------------------

CREATE TABLE organizations (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL UNIQUE,              -- folded, so that two spellings do not coexist
    time_zone  TEXT NOT NULL,
    is_host    BIGINT NOT NULL CHECK (is_host IN (0, 1)),
    created_at BIGINT NOT NULL,
    version    BIGINT NOT NULL
);

CREATE TABLE accounts (
    id                   TEXT PRIMARY KEY,
    organization_id      TEXT NOT NULL REFERENCES organizations (id),
    email                TEXT NOT NULL UNIQUE,     -- lowercase
    user_name            TEXT NOT NULL UNIQUE,     -- lowercase
    name                 TEXT NOT NULL,
    password_hash        TEXT,                     -- PHC string; NULL: cannot sign in by password
    must_change_password BIGINT NOT NULL CHECK (must_change_password IN (0, 1)),
    disabled_at          BIGINT,
    last_seen_at         BIGINT,
    search_text          TEXT NOT NULL,            -- folded
    created_at           BIGINT NOT NULL,
    version              BIGINT NOT NULL
);
CREATE INDEX accounts_by_organization ON accounts (organization_id);

-- A role held for one organization, or for all ('').
CREATE TABLE account_roles (
    account_id      TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    role            TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    PRIMARY KEY (account_id, role, organization_id)
);

CREATE TABLE groups (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name            TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    version         BIGINT NOT NULL
);

CREATE TABLE group_members (
    group_id   TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, account_id)
);
CREATE INDEX group_members_by_account ON group_members (account_id);

CREATE TABLE sessions (
    token_hash   TEXT PRIMARY KEY,                 -- SHA-256, hex
    account_id   TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_account ON sessions (account_id);

CREATE TABLE tokens (
    id           TEXT PRIMARY KEY,
    account_id   TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    token_hash   TEXT NOT NULL UNIQUE,             -- SHA-256, hex
    scopes       TEXT NOT NULL,                    -- privileges, blank-separated; empty: all of the account's
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    expires_at   BIGINT,
    revoked_at   BIGINT
);
CREATE INDEX tokens_by_account ON tokens (account_id);

-- Tries to sign in, by account and address together, and by address alone.
CREATE TABLE sign_in_failures (
    what         TEXT PRIMARY KEY,
    failures     BIGINT NOT NULL,
    last_at      BIGINT NOT NULL,
    succeeded_at BIGINT
);

-- Registry ----------------------------------------------------------------------------------

CREATE TABLE connectors (
    id               TEXT PRIMARY KEY,
    organization_id  TEXT NOT NULL REFERENCES organizations (id),
    name             TEXT NOT NULL,
    key_hash         TEXT NOT NULL UNIQUE,         -- SHA-256, hex
    adapter          TEXT,
    software         TEXT,                         -- name and version of the connector
    protocol_version BIGINT,
    source_sequence  BIGINT NOT NULL,              -- of the last set of sources or delta
    clock_offset_ms  BIGINT,
    problem          TEXT,                         -- JSON {text, what_to_do}
    last_seen_at     BIGINT,
    revoked_at       BIGINT,
    created_at       BIGINT NOT NULL,
    version          BIGINT NOT NULL
);

CREATE TABLE cameras (
    id                   TEXT PRIMARY KEY,
    organization_id      TEXT NOT NULL REFERENCES organizations (id),
    connector_id         TEXT REFERENCES connectors (id),
    device_id            TEXT,                     -- in the source system
    name                 TEXT NOT NULL,
    name_key             TEXT NOT NULL,            -- folded, for sorting
    description          TEXT NOT NULL,
    site                 TEXT,
    lat                  DOUBLE PRECISION,
    lon                  DOUBLE PRECISION,
    cell                 BIGINT,                   -- S2 leaf cell, xor 1 << 63, so that order is kept
    address              TEXT,
    mounting_height_m    DOUBLE PRECISION,
    bearing_deg          DOUBLE PRECISION,
    fov_deg              DOUBLE PRECISION,
    tilt_deg             DOUBLE PRECISION,
    range_m              DOUBLE PRECISION,
    kind                 TEXT,                     -- fixed, panning, dome
    tags                 TEXT NOT NULL,            -- JSON array
    retention_hours      BIGINT,
    clock_offset_ms      BIGINT,
    clock_uncertainty_ms BIGINT,
    last_seen_at         BIGINT,
    make                 TEXT,
    model                TEXT,
    custom               TEXT NOT NULL,            -- JSON object
    origins              TEXT NOT NULL,            -- JSON object: field to connector or office
    published            BIGINT NOT NULL CHECK (published IN (0, 1)),
    vanished_at          BIGINT,
    thumbnail_blob       TEXT,
    thumbnail_sha256     TEXT,                     -- hex
    thumbnail_at         BIGINT,
    search_text          TEXT NOT NULL,            -- folded
    created_at           BIGINT NOT NULL,
    updated_at           BIGINT NOT NULL,
    version              BIGINT NOT NULL,
    UNIQUE (connector_id, device_id)
);
CREATE INDEX cameras_by_cell ON cameras (cell, lat, lon);
CREATE INDEX cameras_by_name ON cameras (name_key, id);
CREATE INDEX cameras_by_organization ON cameras (organization_id);

CREATE TABLE camera_tags (
    camera_id TEXT NOT NULL REFERENCES cameras (id) ON DELETE CASCADE,
    tag       TEXT NOT NULL,
    PRIMARY KEY (tag, camera_id)
);

-- What is known of recordings: the spans of the last answer that covers a time.
CREATE TABLE camera_coverage (
    camera_id TEXT NOT NULL REFERENCES cameras (id) ON DELETE CASCADE,
    from_at   BIGINT NOT NULL,
    to_at     BIGINT NOT NULL,
    asked_at  BIGINT NOT NULL,
    spans     TEXT NOT NULL,                       -- JSON [{from, to}]
    complete  BIGINT NOT NULL CHECK (complete IN (0, 1)),
    PRIMARY KEY (camera_id, from_at, to_at)
);

-- Requests ----------------------------------------------------------------------------------

-- Running numbers; scope is the template and the part of the date that it names.
CREATE TABLE counters (
    scope TEXT PRIMARY KEY,
    last  BIGINT NOT NULL
);

CREATE TABLE cases (
    id          TEXT PRIMARY KEY,
    number      TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    created_by  TEXT NOT NULL REFERENCES accounts (id),
    closed_at   BIGINT,
    search_text TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    version     BIGINT NOT NULL
);

CREATE TABLE case_access (
    case_id      TEXT NOT NULL REFERENCES cases (id) ON DELETE CASCADE,
    principal_id TEXT NOT NULL,                    -- an account or a group
    level        BIGINT NOT NULL CHECK (level BETWEEN 1 AND 4), -- view, download, edit, manage
    expires_at   BIGINT,
    PRIMARY KEY (case_id, principal_id)
);
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
    incident_from   BIGINT NOT NULL,
    incident_to     BIGINT NOT NULL,
    lat             DOUBLE PRECISION,
    lon             DOUBLE PRECISION,
    address         TEXT,
    needed_by       BIGINT,
    case_id         TEXT REFERENCES cases (id),
    status          TEXT NOT NULL,                 -- computed from the items, kept for filtering
    open            BIGINT NOT NULL CHECK (open IN (0, 1)),
    overwrite_at    BIGINT,                        -- earliest of the open items, kept for sorting
    search_text     TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    version         BIGINT NOT NULL
);
CREATE INDEX video_requests_by_time ON video_requests (created_at, id);
CREATE INDEX video_requests_by_requester ON video_requests (requester_id, created_at);
CREATE INDEX video_requests_by_status ON video_requests (status, created_at);
CREATE INDEX video_requests_by_case ON video_requests (case_id);

CREATE TABLE request_items (
    id                    TEXT PRIMARY KEY,
    request_id            TEXT NOT NULL REFERENCES video_requests (id),
    ordinal               BIGINT NOT NULL,
    source_id             TEXT,                    -- NULL: asks for the place
    organization_id       TEXT NOT NULL REFERENCES organizations (id), -- the owner; the host for a place
    channels              TEXT,                    -- JSON array
    from_at               BIGINT NOT NULL,
    to_at                 BIGINT NOT NULL,
    granted_from          BIGINT,
    granted_to            BIGINT,
    state                 TEXT NOT NULL,
    reason_code           TEXT,
    reason_detail         TEXT,
    hold                  TEXT NOT NULL,
    review_before_release BIGINT NOT NULL CHECK (review_before_release IN (0, 1)),
    level                 TEXT,                    -- view or download
    decided_by            TEXT REFERENCES accounts (id),
    decided_at            BIGINT,
    bytes_done            BIGINT,
    bytes_total           BIGINT,
    attempts              BIGINT NOT NULL,
    overwrite_at          BIGINT,
    deadline_at           BIGINT,
    version               BIGINT NOT NULL,
    UNIQUE (request_id, ordinal)
);
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
    created_at BIGINT NOT NULL
);
CREATE INDEX messages_by_request ON messages (request_id, created_at);

-- What a POST with an Idempotency-Key created.
CREATE TABLE idempotency_keys (
    account_id TEXT NOT NULL,
    operation  TEXT NOT NULL,
    name       TEXT NOT NULL,
    body_hash  TEXT NOT NULL,
    object_id  TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, operation, name)
);

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
    size_bytes       BIGINT NOT NULL,
    sha256           TEXT NOT NULL,
    blob             TEXT NOT NULL UNIQUE,
    media            TEXT,                         -- JSON
    recorded_from    BIGINT,
    recorded_to      BIGINT,
    gaps             TEXT,                         -- JSON [{from, to}]
    clock_offset_ms  BIGINT,
    manifest         TEXT,                         -- JSON, as the connector gave it
    release_level    TEXT NOT NULL,                -- view or download: the most that a reader of the case gets
    released_at      BIGINT,
    playable_state   TEXT NOT NULL,                -- waiting, ready, failed
    playable_error   TEXT,
    playable_blob    TEXT,
    playable_bytes   BIGINT,
    playable_sha256  TEXT,
    thumbnail_blob   TEXT,
    thumbnail_bytes  BIGINT,
    thumbnail_sha256 TEXT,
    received_by      TEXT,                         -- account, connector or file request
    created_at       BIGINT NOT NULL,
    version          BIGINT NOT NULL
);
CREATE INDEX evidence_by_case ON evidence (case_id, created_at);
CREATE INDEX evidence_by_item ON evidence (item_id);

-- The last logged look of a person at a file; a new one is logged after a while.
CREATE TABLE evidence_looks (
    evidence_id TEXT NOT NULL REFERENCES evidence (id) ON DELETE CASCADE,
    viewer_id   TEXT NOT NULL,
    what        TEXT NOT NULL,                     -- play, original, thumbnail
    logged_at   BIGINT NOT NULL,
    PRIMARY KEY (evidence_id, viewer_id, what)
);

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
    expires_at  BIGINT NOT NULL,
    revoked_at  BIGINT,
    finished_at BIGINT,
    created_at  BIGINT NOT NULL,
    version     BIGINT NOT NULL
);
CREATE INDEX file_requests_by_item ON file_requests (item_id);
CREATE INDEX file_requests_by_case ON file_requests (case_id);

CREATE TABLE uploads (
    id              TEXT PRIMARY KEY,
    purpose         TEXT NOT NULL,                 -- case, item, link, task
    object_id       TEXT NOT NULL,                 -- of the case, item, file request or task
    lease           BIGINT,                        -- of the task
    owner           TEXT NOT NULL,                 -- account, file request or connector
    file_name       TEXT NOT NULL,
    file_type       TEXT,
    metadata        TEXT NOT NULL,                 -- Upload-Metadata as it came
    length_bytes    BIGINT NOT NULL,
    state           TEXT NOT NULL,                 -- open, finished, terminated
    sha256          TEXT,                          -- of the whole, when finished
    blob            TEXT,
    evidence_id     TEXT,
    expires_at      BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    finished_at     BIGINT
);
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
    lease        BIGINT NOT NULL,                  -- rises with every lease; a call with an older one is refused
    lease_until  BIGINT NOT NULL,
    run_at       BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    phase        TEXT,
    bytes_done   BIGINT,
    bytes_total  BIGINT,
    result       TEXT,                             -- JSON
    last_error   TEXT,
    created_at   BIGINT NOT NULL,
    ended_at     BIGINT
);
CREATE INDEX connector_tasks_to_lease ON connector_tasks (connector_id, state, run_at);
CREATE INDEX connector_tasks_by_item ON connector_tasks (item_id);

-- Side effects ------------------------------------------------------------------------------

CREATE TABLE jobs (
    id          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL,
    payload     TEXT NOT NULL,                     -- JSON
    only_once   TEXT UNIQUE,                       -- while it lives, no second job of this name
    state       TEXT NOT NULL,                     -- waiting, dead
    run_at      BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    attempts    BIGINT NOT NULL,
    last_error  TEXT,
    created_at  BIGINT NOT NULL
);
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
    run_at      BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    attempts    BIGINT NOT NULL,
    last_error  TEXT,
    created_at  BIGINT NOT NULL,
    sent_at     BIGINT
);
CREATE INDEX mails_to_send ON mails (state, run_at);
CREATE INDEX mails_by_time ON mails (created_at, id);

-- Ledger ------------------------------------------------------------------------------------

CREATE TABLE events (
    seq        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    at         BIGINT NOT NULL,
    kind       TEXT NOT NULL,                      -- noun.verb
    actor      TEXT,                               -- account, token, connector or file request; NULL: the server itself
    objects    TEXT NOT NULL,                      -- JSON object: noun to id
    data       TEXT NOT NULL,                      -- JSON object, public: states, sizes, hashes
    personal   TEXT,                               -- JSON object, erasable; stands beside the leaf
    salt       BYTEA,                              -- 32 bytes; erased together with personal
    commitment TEXT,                               -- hex; NULL where nothing personal was said
    erased_at  BIGINT,
    leaf_index BIGINT UNIQUE
);
CREATE INDEX events_without_leaf ON events (leaf_index, seq);
CREATE INDEX events_by_time ON events (at);

-- Which objects an event is about, for histories.
CREATE TABLE event_objects (
    object_id TEXT NOT NULL,
    seq       BIGINT NOT NULL REFERENCES events (seq),
    PRIMARY KEY (object_id, seq)
);

CREATE INDEX event_objects_by_seq ON event_objects (seq);

CREATE TABLE ledger (
    one         BIGINT PRIMARY KEY CHECK (one = 1),
    size        BIGINT NOT NULL,                   -- leaves under the last checkpoint
    root        TEXT NOT NULL,                     -- hex
    checkpoint  TEXT NOT NULL,                     -- the signed note
    signed_at   BIGINT NOT NULL,
    lease_until BIGINT NOT NULL
);
