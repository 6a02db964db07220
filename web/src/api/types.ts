// The shapes that the server speaks, by hand until openapi.json is there.
export type Id = string
export type Time = string
export interface Position { lat: number; lon: number }
export interface Ref { id: Id; name: string }
export interface List<T> { items: T[]; next_cursor: string | null; total?: number }
export interface Problem {
  type: string; title: string; status: number; detail: string; code: string; request_id: string
  errors?: { pointer: string; message: string }[]
}

export interface RoleHeld { role: string; organization_id: Id | null }
export interface Account {
  id: Id; email: string; user_name: string | null; name: string; organization: Ref; roles: RoleHeld[]
  disabled: boolean; must_change_password: boolean; last_seen_at: Time | null; created_at: Time
  version: number; allowed_actions: string[]
}
export interface NewAccount { account: Account; one_time_password?: string | null }
export interface Installation {
  name: string; time_zone: string; host_organization_id: Id; mail_delivers: boolean
  longest_window_seconds: number; has_streets: boolean
}
export interface Me {
  account: Account
  privileges: { privilege: string; organization_id: Id | null }[]
  installation: Installation
}
export interface Organization {
  id: Id; name: string; time_zone: string; is_host: boolean; created_at: Time; version: number; allowed_actions: string[]
}
export interface Group {
  id: Id; name: string; organization_id: Id; account_ids: Id[]; created_at: Time; version: number; allowed_actions: string[]
}
export interface Token {
  id: Id; name: string; scopes: string[] | null; created_at: Time; last_used_at: Time | null
  expires_at: Time | null; revoked_at: Time | null
}
export interface Role { role: string; name: string; privileges: string[] }

export type SourceStatus = 'online' | 'offline' | 'unknown' | 'vanished'
export interface Source {
  id: Id; kind: 'camera'; name: string; organization: Ref; position: Position | null; address: string | null
  bearing_deg: number | null; fov_deg: number | null; range_m: number | null; retention_hours: number | null
  status: SourceStatus; published: boolean; tags: string[]; thumbnail_url: string | null; distance_m?: number | null
  connector: { id: Id; name: string; online: boolean; last_seen_at: Time | null } | null
}
export interface Camera extends Source {
  description: string | null; site: string | null; device_id: string | null; type: 'fixed' | 'panning' | 'dome' | null
  mounting_height_m: number | null; tilt_deg: number | null; clock_offset_ms: number | null
  clock_uncertainty_ms: number | null; last_seen_at: Time | null; make: string | null; model: string | null
  custom: Record<string, string>; origins: Record<string, 'connector' | 'office'>
  created_at: Time; updated_at: Time; version: number; allowed_actions: string[]
}
export interface Span { from: Time; to: Time }
export interface Coverage { spans: Span[]; asked_at: Time | null; complete: boolean }
export interface Place { name: string; position: Position }

export type Status =
  | 'pending' | 'processing' | 'completed' | 'partially_completed' | 'denied'
  | 'canceled' | 'video_unavailable' | 'expired' | 'failed'
export type ItemState =
  | 'pending' | 'needs_information' | 'approved' | 'exporting' | 'uploading' | 'in_review' | 'released'
  | 'unavailable' | 'failed' | 'denied' | 'canceled' | 'expired'
export interface Incident { number: string | null; from: Time; to: Time; position: Position | null; address: string | null }
export interface VideoRequestHead {
  id: Id; number: string; name: string; status: Status; open: boolean
  requester: { id: Id; name: string; organization: Ref }
  incident: Incident; category: string | null; needed_by: Time | null; created_at: Time
  item_count: number; overwrite_at: Time | null; case_id: Id | null
}
export interface VideoRequest extends VideoRequestHead {
  reason: string | null; items: Item[]; thread: Message[]; version: number; allowed_actions: string[]
}
export interface FileRequest { id: Id; expires_at: Time; revoked_at: Time | null; finished_at: Time | null }
export interface ItemEvidence { id: Id; name: string; size_bytes: number; sha256: string; playable: 'waiting' | 'ready' | 'failed' }
export interface Item {
  id: Id; source: (Ref & { kind: string; thumbnail_url: string | null }) | null; organization: Ref
  channels: string[] | null; from: Time; to: Time; granted: Span | null; state: ItemState
  reason: { code: string; detail: string } | null
  waiting_since?: Time | null; deadline_at?: Time | null
  waiting_for: 'decision' | 'answer' | 'connector' | 'connector_offline' | 'recording' | 'link' | null
  hold: string; progress: { bytes_done: number; bytes_total: number | null } | null; overwrite_at: Time | null
  review_before_release: boolean; level: 'view' | 'download' | null
  decided_by: Ref | null; decided_at: Time | null
  evidence: ItemEvidence[]; file_request: FileRequest | null; allowed_actions: string[]
}
export interface Message {
  id: Id; kind: 'comment' | 'question' | 'answer' | 'decision'; item_id: Id | null
  author: Ref | null; body: string; created_at: Time
}
export interface NewFileRequest { id: Id; url: string; qr_svg: string; expires_at: Time }

export type Level = 'view' | 'download' | 'edit' | 'manage'
export interface Case {
  id: Id; number: string; name: string; closed_at: Time | null; created_at: Time; level: Level
  evidence_count: number; version: number; allowed_actions: string[]
}
export interface AccessEntry { principal_id: Id; name?: string | null; level: Level; expires_at: Time | null }
export interface Evidence {
  id: Id; case_id: Id; request_id: Id | null; item_id: Id | null; name: string; size_bytes: number; sha256: string
  source: Ref | null; created_at: Time
  media: {
    container: string | null; video_codec: string | null; audio_codec: string | null; width: number | null
    height: number | null; frame_rate: number | null; duration_ms: number | null
  } | null
  recorded: { from: Time; to: Time; gaps: Span[]; clock_offset_ms: number | null } | null
  manifest: Record<string, unknown> | null
  playable: { state: 'waiting' | 'ready' | 'failed'; error: string | null; size_bytes: number | null }
  thumbnail_url: string | null; play_url: string | null; original_url: string | null
  level: Level; ledger: { leaf_index: number | null }; allowed_actions: string[]
}
export interface HistoryEntry { id: Id; at: Time; kind: string; actor: Ref | null; detail: unknown }

export interface Connector {
  id: Id; name: string; organization: Ref; adapter: string | null; version: string | null; online: boolean
  last_seen_at: Time | null; source_count: number; queue: { waiting: number; running: number }
  problem: { text: string; what_to_do: string } | null; revoked_at: Time | null; created_at: Time; allowed_actions: string[]
}
export interface Task {
  id: Id; kind: string; state: string; item_id: Id | null; attempts: number
  progress: { bytes_done: number; bytes_total: number | null } | null; last_error: string | null; created_at: Time
}
export type MailState = 'waiting' | 'sent' | 'kept' | 'dead'
export interface Mail {
  id: Id; to: string; subject: string; state: MailState; attempts: number
  last_error: string | null; created_at: Time; sent_at: Time | null
}
export interface MailBody { head: Mail; text: string; html: string | null }
export interface Job {
  id: Id; kind: string; state: string; attempts: number; last_error: string | null; run_at: Time; created_at: Time
}

export interface LinkView {
  name: string; description: string | null; requester: string; organization: string; source: string | null
  from: Time | null; to: Time | null; time_zone: string; expires_at: Time; finished_at: Time | null
  answer: string | null
  files: { upload_id: string; name: string; size_bytes: number; sha256: string | null; finished: boolean }[]
  code: string
}
export interface Receipt { files: { name: string; size_bytes: number; sha256: string }[]; received_at: Time }
