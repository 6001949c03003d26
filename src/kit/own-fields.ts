/** The fields that only the gateway may write. */

/** Fields that belong to one connection or frame a message: only the gateway may write them. */
const OURS = new Set([
  'connection',
  'content-length',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-prozy-mirror',
]);

/** Whether only the gateway may write that field. */
export function isOurs(name: string): boolean {
  return OURS.has(name.toLowerCase());
}
