/**
 * The memory that reads go into. Hot.
 *
 * All connections read into one small shared buffer, since what arrives is used up before the next read begins. One that
 * turns out to carry bulk gets a larger buffer of its own, so that its bytes can be passed on without a copy even if the
 * receiver is slow; it keeps it until it closes. Their number is bounded; past it, bulk is copied.
 */

/** Bytes of the shared buffer: more than nearly every head, few enough to copy. */
export const SHARED_SIZE = 16 * 1024;
/** Bytes of a buffer of one's own. */
const OWN_SIZE = 64 * 1024;
/** Buffers of their own at a time: 64 MiB in all. */
const OWN_LIMIT = 1024;
/** Buffers kept for the next connection that needs one. */
const SPARE_LIMIT = 64;

export const sharedBuffer = Buffer.allocUnsafeSlow(SHARED_SIZE);

const spare: Buffer[] = [];
let inUse = 0;

/** A buffer of one's own, or null when there are too many. */
export function takeBuffer(): Buffer | null {
  if (inUse === OWN_LIMIT) return null;
  inUse++;
  return spare.pop() ?? Buffer.allocUnsafeSlow(OWN_SIZE);
}

/** Gives it back. `clean`: nothing refers to its bytes any more, so the next one may write into it. */
export function giveBuffer(buffer: Buffer, clean: boolean): void {
  inUse--;
  if (clean && spare.length < SPARE_LIMIT) spare.push(buffer);
}

/** Buffers handed out and not given back; for leak checks. */
export function buffersInUse(): number {
  return inUse;
}
