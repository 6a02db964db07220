/** The mark: a camera's place and what it sees. */
export function Mark({ large = false, bare = false }: { large?: boolean; bare?: boolean }) {
  const size = large ? 32 : 24
  return (
    <span className="row" style={{ gap: large ? 12 : 8 }}>
      <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden>
        <rect width="32" height="32" rx="7" fill="#1f55c4" />
        <path d="M8 16 25 8.5v15z" fill="#fff" fillOpacity=".45" />
        <circle cx="9" cy="16" r="4" fill="#fff" />
      </svg>
      {!bare && <strong style={{ fontSize: large ? 18 : 15, letterSpacing: '-0.01em' }}>Sightline</strong>}
    </span>
  )
}
