// What the server speaks, by the names that the page uses. The shapes are those of its API document: `make openapi`.
import type { components } from './schema.gen.ts'

type Schemas = components['schemas']

export type Id = string
export type Time = Schemas['Timestamp']
export type Position = Schemas['Position']
export type Span = Schemas['Window']
export type Gap = Schemas['Gap']
export type ClockPoint = Schemas['ClockPointView']
export type Ref = Schemas['Named']
export type Problem = Schemas['Problem']

export type RoleHeld = Schemas['RoleGrant']
export type Account = Schemas['AccountView']
export type AccountInput = Schemas['AccountInput']
export type AccountPatch = Schemas['AccountPatch']
export type NewAccount = Schemas['CreatedAccount']
export type Privilege = Schemas['Privilege']
export type Me = Schemas['Me']
export type Organization = Schemas['OrganizationView']
export type Group = Schemas['GroupView']
export type Token = Schemas['TokenView']

export type Source = Schemas['SourceView']
export type Camera = Schemas['CameraView']
export type CameraFields = Schemas['CameraInput']
export type Place = Schemas['Place']

export type ItemAction = Schemas['ItemAction']
export type VideoRequestHead = Schemas['VideoRequestHead']
export type VideoRequest = Schemas['VideoRequestView']
export type NewRequest = Schemas['VideoRequestInput']
export type Item = Schemas['RequestItemView']
export type NewFileRequest = Schemas['NewLinkView']

export type Level = Schemas['Level']
export type Case = Schemas['CaseView']
export type AccessEntry = Schemas['AccessView']
export type CaseLink = Schemas['CaseLinkView']
export type MediaFacts = Schemas['MediaFacts']
export type Evidence = Schemas['EvidenceView']
export type HistoryEntry = Schemas['HistoryEntry']

export type Connector = Schemas['ConnectorView']
export type ConnectorTask = Schemas['ConnectorTaskView']
export type MailBody = Schemas['MailView']
export type MailState = Schemas['MailState']

export type LinkView = Schemas['LinkView']
export type LinkReply = Schemas['LinkAnswer']
export type LinkReplied = Schemas['ReplyView']
export type LinkAnswer = Schemas['AnswerInput']
export type Receipt = Schemas['ReceiptView']
