/** Part of the Plan: the Host that a pool's endpoints receive. Cold; types only. */

/** `preserve`: the client's; `endpoint`: the endpoint's own; `fixed`: the same for all. */
export type HostPlan = { readonly type: 'preserve' | 'endpoint' } | { readonly type: 'fixed'; readonly host: string };
