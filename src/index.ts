/** prozy as a library, for Node 24.21 and later: the only file that re-exports. */
export { type RunningGateway, startGateway, type StartOptions } from './admin/start.ts';
export type { ConfigSource } from './config/config-source.ts';
export { ConfigError, type Problem } from './config/problem.ts';
export type { GatewayConfig } from './config/schema.gen.ts';
export type { GatewayError } from './kit/errors.ts';
export { BodyFilter } from './http/body-filter.ts';
export type { Exchange } from './http/exchange.ts';
export type { Fields } from './http/fields.ts';
export { type FilterContext, INTERCEPTED } from './http/interception.ts';
export type { PoolFailure, PoolHandle, PoolRequest, PoolResponse, PoolResult } from './http/pool-request.ts';
export { LocalReply, problemReply } from './http/local-reply.ts';
export type { BindScope, Hooks, Policy, PolicyPreview, PreviewScope } from './policies/policy.ts';
export { Gateway, type GatewayOptions } from './runtime/gateway.ts';
export { OpenError } from './runtime/snapshot/open-error.ts';
