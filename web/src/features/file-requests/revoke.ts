import { useMutation } from '@tanstack/react-query'
import { client, take } from '~/api/client.ts'
import type { Id } from '~/api/types.ts'
import { tell, tellTrouble } from '~/ui/Toasts.tsx'

/** Revokes an upload link, of an item or of a case; `onRevoked` looks again at what showed it. */
export const useRevokeLink = (onRevoked: () => void) => useMutation({
  mutationFn: (id: Id) => take(client.DELETE('/api/v1/file-requests/{id}', { params: { path: { id } } })),
  onSuccess: () => { onRevoked(); tell('The link is revoked. What had arrived stays.') },
  onError: tellTrouble,
})
