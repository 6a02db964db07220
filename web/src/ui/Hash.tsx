import { ActionIcon, CopyButton, Tooltip } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'

export function Copy({ value, what = 'Copy' }: { value: string; what?: string }) {
  return (
    <CopyButton value={value} timeout={1500}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? 'Copied' : what}>
          <ActionIcon onClick={copy} aria-label={copied ? 'Copied' : what} size={24}>
            {copied ? <IconCheck size={15} /> : <IconCopy size={15} />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  )
}

/** A fingerprint that can be copied whole. */
export function Hash({ value, short = false }: { value: string; short?: boolean }) {
  return (
    <span className="hash">
      <code>{short ? `${value.slice(0, 10)}…${value.slice(-6)}` : value}</code>
      <Copy value={value} what="Copy SHA-256" />
    </span>
  )
}
