/** The access log: one JSON line per exchange or tunnel. Hot. */
export interface AccessLog {
  exchange(x: unknown, now: number): void;
  tunnel(relay: unknown, generation: number, ms: number, error: string): void;
}
