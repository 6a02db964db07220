const examples = import.meta.glob<string>('../../../../packaging/connector/usr/share/doc/sightline-connector/examples/*.toml', { query: '?raw', import: 'default', eager: true })

/** A video system that connectors speak with: its kind in connector.toml, its name, and the example that the package brings. */
export interface System { kind: string; name: string; example: string }

/** All of them, as their examples say in the first line: `# NAME: where it is described`. */
export const SYSTEMS: System[] = Object.entries(examples)
  .map(([path, example]) => ({ kind: path.replace(/^.*\/(.*)\.toml$/, '$1'), name: /^# (.*?):/.exec(example)?.[1] ?? '', example }))
  .sort((a, b) => a.name.localeCompare(b.name))

/** What a connector reads its footage from. */
export const systemName = (kind: string | null) => SYSTEMS.find((system) => system.kind === kind)?.name ?? kind
