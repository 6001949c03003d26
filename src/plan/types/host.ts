/** The part of the Plan that says which Host a pool's endpoints get. Cold; types only. */

/** `preserve`: the client's; `endpoint`: the endpoint's own; `fixed`: the same for all. */
export type HostPlan = { readonly type: 'preserve' | 'endpoint' } | { readonly type: 'fixed'; readonly host: string };
