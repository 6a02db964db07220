const ADAPTERS: Record<string, string> = { folder: 'Folder of segments' }

/** What a connector reads its footage from. */
export const adapterWord = (adapter: string | null) => adapter && (ADAPTERS[adapter] ?? adapter)
