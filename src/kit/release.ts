/**
 * Gives the memory of bytes back at once, which would otherwise wait until the collector next looks: with bodies of
 * hundreds of megabytes a second, that is tens of megabytes at any moment. Hot.
 *
 * Whoever still had them would see none, and what the kernel is yet to read of them would be anything: only for bytes
 * that nobody else can have.
 */
export function release(bytes: Buffer): void {
  const { buffer } = bytes;
  // Small ones are parts of a larger one.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length && bytes.length > 0) buffer.transfer(0);
}
