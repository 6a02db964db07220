/** What is said at each field that was touched here and changed by somebody else meanwhile, by the field's name. */
export function setByOthers(seen: object, fresh: object, touched: object, words = inWords): Record<string, string> {
  const valueOf = (of: object, field: string) => (of as Record<string, unknown>)[field]
  const both = Object.keys(touched).filter((field) => JSON.stringify(valueOf(seen, field)) !== JSON.stringify(valueOf(fresh, field)))
  return Object.fromEntries(both.map((field) => [field, `Somebody else changed this to ${words(valueOf(fresh, field))}. Saving puts yours in its place.`]))
}

export function inWords(value: unknown): string {
  if (value === null || value === undefined || value === '') return 'nothing'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (Array.isArray(value)) return value.map(inWords).join(', ') || 'nothing'
  if (typeof value === 'object') return Object.entries(value).map(([name, one]) => `${name} ${inWords(one)}`).join(', ') || 'nothing'
  return typeof value === 'number' ? String(value) : `“${value}”`
}
