/**
 * The memory for reads. Hot.
 *
 * All connections read into one small shared buffer, since received bytes are processed before the next read begins. A
 * connection that carries bulk data gets a larger buffer of its own until it closes, so that its bytes can be passed on
 * without a copy even if the receiver is slow. The number of these buffers is bounded; beyond it, bulk data is copied.
 */

/** Bytes of the shared buffer: larger than nearly every head, small enough to copy. */
export const SHARED_SIZE = 16 * 1024;
/** Bytes of a connection's own buffer. */
const OWN_SIZE = 64 * 1024;
/** The limit on connections' own buffers: 64 MiB in all. */
const OWN_LIMIT = 1024;
/** Free buffers that are kept for later connections. */
const SPARE_LIMIT = 64;

export const sharedBuffer = Buffer.allocUnsafeSlow(SHARED_SIZE);

const spare: Buffer[] = [];
let inUse = 0;

/** Returns a connection's own buffer, or null if the limit is reached. */
export function takeBuffer(): Buffer | null {
  if (inUse === OWN_LIMIT) return null;
  inUse++;
  return spare.pop() ?? Buffer.allocUnsafeSlow(OWN_SIZE);
}

/** Returns a buffer. `clean` says that nothing refers to its bytes any more, so that it can be reused. */
export function giveBuffer(buffer: Buffer, clean: boolean): void {
  inUse--;
  if (clean && spare.length < SPARE_LIMIT) spare.push(buffer);
}

/** Buffers in use; for leak checks. */
export function buffersInUse(): number {
  return inUse;
}
