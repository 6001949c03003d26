/** As much of http-cache-semantics as the tests ask; it comes without types. */
declare module 'http-cache-semantics' {
  interface Message {
    readonly headers: Readonly<Record<string, string>>;
    readonly method?: string;
    readonly url?: string;
    readonly status?: number;
  }
  interface Evaluation {
    readonly response?: unknown;
    readonly revalidation?: { readonly synchronous: boolean };
  }
  export default class CachePolicy {
    constructor(
      request: Message,
      response: Message,
      options?: { readonly shared?: boolean; readonly cacheHeuristic?: number },
    );
    now(): number;
    storable(): boolean;
    maxAge(): number;
    age(): number;
    evaluateRequest(request: Message): Evaluation;
    revalidatedPolicy(request: Message, response: Message): { readonly policy: CachePolicy; readonly matches: boolean };
    responseHeaders(): Readonly<Record<string, string>>;
  }
}
