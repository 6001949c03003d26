/* Generated from schemas/ by `npm run generate`: edit the schemas, not this file. */

/** One JSON line for each exchange and each tunnel. Absent: no access log. */
export interface AccessLogConfig {
  /** `stdout`, `stderr`, or a file that is appended to; relative to the file that names it. Opened again on SIGHUP and SIGUSR1. */
  readonly path: string;
}

/** Which client addresses are allowed: the deny list is asked first, then the allow list if it is not empty, then the default. */
export interface AclConfig {
  /** What holds for an address that is on neither list, if there is no allow list. */
  readonly default: 'allow' | 'deny';
  /** Networks or addresses that are allowed; if there are any, all others are denied. */
  readonly allow: readonly string[];
  /** Networks or addresses that are denied. */
  readonly deny: readonly string[];
}

/** Asks each endpoint regularly whether it is well, beside what the traffic shows. */
export interface ActiveCheckConfig {
  /** http: a request is answered as it should be. tcp: a connection is accepted. */
  readonly type: 'http' | 'tcp';
  /** Where the request goes, with its query. */
  readonly path: string;
  /** The Host of the request; absent: the pool's `host`, or else the endpoint's own name or address. */
  readonly host?: string;
  /** The request's method. */
  readonly method: 'GET' | 'HEAD';
  /** Statuses that are well, one by one or as ranges. */
  readonly status: readonly string[];
  /** A text that the first 64 KiB of the answer must contain; absent: anything will do. */
  readonly body?: string;
  /** A port of its own for the checks; absent: the endpoint's. */
  readonly port?: number;
  /** From the end of one check to the beginning of the next. */
  readonly interval: number;
  /** Percent by which an interval may be shorter, at random, so that not all endpoints are asked at the same moment. */
  readonly jitter: number;
  /** For a whole check. */
  readonly timeout: number;
  /** Checks that must succeed one after the other before an endpoint that was out is well again. */
  readonly healthy: number;
  /** Checks that must fail one after the other before an endpoint is out. */
  readonly unhealthy: number;
}

/** Lets the config be read and written over the admin listener (`GET /config`, `PUT /config`) by whoever has a token. What is pushed is written to the config file, so that the file stays what is in effect; where that can't be done, it is refused. Whoever may push a config may do whatever the gateway may, and read every file that it may read. Absent: nobody may. */
export interface AdminPush {
  /** What is sent as `Authorization: Bearer TOKEN` (RFC 6750). Must be a reference, since the config itself is shown to those who have it. */
  readonly token: string;
  /** A larger config is refused. */
  readonly max_size: number;
}

/** A listener of its own for operators: health, metrics and what is going on. Reading needs no authentication: keep it on loopback or a private network. Actions (drain, purge, reload, rollback, …) need the `token`; without one they are taken from this machine only. Absent: there is none. */
export interface AdminConfig {
  /** Where it listens. */
  readonly address: string;
  /** Names that clients ask for it by, exact or `*.example.com`, besides IP addresses, names without a dot, and names below `localhost`, `local` and `internal`. Requests for other hosts get a 421, since a page of any site could send them through its visitor's browser (DNS rebinding); `/health` and `/ready` are answered under any. */
  readonly hosts: readonly string[];
  /** What actions must send as `Authorization: Bearer TOKEN` (RFC 6750). Must be a reference. Absent: the token of `push`, if there is one. */
  readonly token?: string;
  /** Lets the config be read and written over the admin listener (`GET /config`, `PUT /config`) by whoever has a token. What is pushed is written to the config file, so that the file stays what is in effect; where that can't be done, it is refused. Whoever may push a config may do whatever the gateway may, and read every file that it may read. Absent: nobody may. */
  readonly push?: AdminPush;
}

/** Something about a request: it has this header field, cookie or query parameter. */
export interface CacheConditionConfig {
  /** Name of a header field. */
  readonly header?: string;
  /** Name of a cookie. */
  readonly cookie?: string;
  /** Name of a query parameter. */
  readonly query?: string;
  /** The value that it has. Absent: any. */
  readonly value?: string;
}

/** A directory in which the responses of a cache are kept as well, many more than fit into memory. They are there again after a restart, also after one that nobody planned. */
export interface CacheDiskConfig {
  /** The directory, which the cache has to itself. It is made if it is not there. Relative: to where the gateway was started. */
  readonly path: string;
  /** Bytes that the files in it may take. The oldest make room, but for what has been asked for again. */
  readonly max_size: number;
}

/** What tells stored responses apart, besides scheme, host, path and what their Vary names. */
export interface CacheKeyConfig {
  /** Names of the query parameters that count. Absent: all of them do. Empty: none does. */
  readonly query?: readonly string[];
  /** Names of query parameters that do not count. */
  readonly ignore_query: readonly string[];
  /** Whether the order of the query parameters is without meaning. */
  readonly sort_query: boolean;
  /** Header fields of the request whose values count. */
  readonly headers: readonly string[];
  /** Cookies whose values count. */
  readonly cookies: readonly string[];
}

/** A store of responses, for the cache policy. Several routes may share one; each finds only what was stored for it. */
export interface CacheConfig {
  /** Bytes that the responses may take in memory, heads, keys and bookkeeping included. The ones least recently used make room. */
  readonly max_size: number;
  /** Bytes of the largest body that is stored. Larger ones are passed on as they come. */
  readonly max_entry_size: number;
  /** What tells stored responses apart, besides scheme, host, path and what their Vary names. */
  readonly key: CacheKeyConfig;
  /** A directory in which the responses of a cache are kept as well, many more than fit into memory. They are there again after a restart, also after one that nobody planned. */
  readonly disk?: CacheDiskConfig;
}

/** A request, and what the config must make of it. Run by `prozy check`, and before a reload is applied: if one fails, the config is refused. */
export interface ConfigTest {
  /** What it is about, for people; told when it fails. */
  readonly name?: string;
  /** A request as a client would send it. None is sent. */
  readonly request: TestRequest;
  /** What must become of the request. Everything that is said here must hold; at least one thing must be said. */
  readonly expect: TestExpectation;
}

/** Endpoints that are found by name: each address of the name is an endpoint of its own, and they come and go as the name's answers do. A plain string is the name. */
export interface DnsNameConfig {
  /** `name:port`, or with `type: srv` the name alone. One that ends with a dot, or is asked of `servers`, is taken as it is; others are completed by the system's search list. */
  readonly name: string;
  /** What is asked. auto: A, or AAAA if there is no A. both: A and AAAA. srv: SRV, whose records say ports, priorities and weights (RFC 2782), then A or AAAA of their targets. */
  readonly type: 'auto' | 'a' | 'aaaa' | 'both' | 'srv';
}

/** How something is drained when it is not as everything else (`reload.drain`); a route's word counts before its listener's. A plain duration is the deadline. */
export interface DrainOverrideConfig {
  /** As in `reload.drain`. Absent: as there. */
  readonly deadline?: number;
  /** As in `reload.drain`. Absent: as there. */
  readonly action?: 'goodbye' | 'close' | 'finish';
  /** As in `reload.drain`. Absent: as there. */
  readonly spread?: number;
}

/** What becomes of what a new config would not serve as it is served: how long it may go on, and how it ends. A plain duration is the deadline. */
export interface DrainConfig {
  /** How long a stop goes on accepting connections and requests, so that load balancers notice first: `/ready` says 503, and each response says `Connection: close`. The deadline counts from then on. Absent: 5s where there is an admin listener; 0 without one, since `/ready` cannot be asked, and in a terminal. */
  readonly delay?: number;
  /** How long it may go on after the reload. Also the longest that a graceful shutdown takes. */
  readonly deadline: number;
  /** What is done then. `goodbye`: it is ended with what its protocol has to say: a response gets `Connection: close`, a WebSocket the close code 1012; what has no word for it is closed. `close`: it is ended without a word. `finish`: nothing, it ends by itself, whenever that is. */
  readonly action: 'goodbye' | 'close' | 'finish';
  /** The time before the deadline over which the ends are spread, so that clients do not come back all at once; never more than half of the deadline. 0: all at the deadline. */
  readonly spread: number;
}

/** One backend, or all those that a name stands for. A plain string is its address. */
export interface EndpointConfig {
  /** `host:port`, `[ipv6]:port` or `unix:/path`. A host name is one endpoint, for which the system is asked with each new connection. */
  readonly address?: string;
  /** Endpoints that are found by name: each address of the name is an endpoint of its own, and they come and go as the name's answers do. A plain string is the name. */
  readonly dns?: DnsNameConfig;
  /** `false` switches the endpoint off without deleting it: it gets no requests and no checks, as if it were removed, and its settings are still checked. */
  readonly enabled: boolean;
  /** Its share relative to the others; 0: it gets nothing. Of a name: of each of its addresses; with `type: srv` it multiplies the weights of the records. */
  readonly weight: number;
  /** Connections to it, or to each address of a name, idle ones included; 0: no limit. */
  readonly max_connections: number;
  /** Requests and tunnels under way at it, or at each address of a name; 0: no limit. */
  readonly max_requests: number;
}

/** Tells clients that may know it what became of their own request: whoever of these networks sends the field gets it back in the answer, with listener, route, policies, pool and endpoint. Absent: nobody is told, and it costs nothing. */
export interface ExplainConfig {
  /** The field that asks, with any value, and that answers. A request whose route removes the field (a headers policy) is not told. */
  readonly header: string;
  /** Networks or addresses of the clients that may know, as ACLs judge them. */
  readonly allow: readonly string[];
}

/** What takes a pool's place when none of its endpoints can be had: none is well, none could be connected to, the queue is full or was waited in for too long. Only where nothing of the request had been sent. Exactly one of pool and respond. */
export interface FallbackConfig {
  /** Another pool, which may have a fallback in turn: a chain has three pools at most. */
  readonly pool?: string;
  /** A fixed answer. */
  readonly respond?: RespondConfig;
}

/** Changes to header fields: first what is removed, then what is set, then what is added. */
export interface FieldEditsConfig {
  /** Fields that get this value in place of any they had. */
  readonly set: Readonly<Record<string, string>>;
  /** Fields that get this value beside those they had. */
  readonly add: Readonly<Record<string, string>>;
  /** Fields that are taken out. */
  readonly remove: readonly string[];
}

/** A condition on one header field or query parameter. A plain string is an exact value. */
export interface FieldMatch {
  /** Exactly this value. */
  readonly exact?: string;
  /** A regular expression that the value must contain. */
  readonly regex?: string;
  /** Whether it must be there or must not. */
  readonly present?: boolean;
}

/** Limits on the gateway as a whole. */
export interface GatewayLimits {
  /** Client connections of all listeners together; 0: as many as there are file descriptors for, two to each. HTTP clients beyond it get a 503, TCP clients a reset. Past the file descriptors nobody is refused: who connects waits until there is room, but at a Unix socket. */
  readonly connections: number;
  /** When the gateway itself has more to do than it can: new requests get a 503 with Retry-After, new tcp connections a reset, and /ready says so. What is under way goes on. */
  readonly overload: OverloadConfig;
}

/** A gateway: everything that one file (and what it includes) declares. */
export interface GatewayConfig {
  /** Version of the config language. */
  readonly version: 1;
  /** Files to merge, as globs (but for `**`) relative to this file: named maps are merged; routes, tests and invariants appended in the order of the files' names. */
  readonly include: readonly string[];
  /** A listener of its own for operators: health, metrics and what is going on. Reading needs no authentication: keep it on loopback or a private network. Actions (drain, purge, reload, rollback, …) need the `token`; without one they are taken from this machine only. Absent: there is none. */
  readonly admin?: AdminConfig;
  /** What is written about the gateway and its traffic. */
  readonly logging: LoggingConfig;
  /** How a changed file takes effect. */
  readonly reload: ReloadConfig;
  /** Limits on the gateway as a whole. */
  readonly limits: GatewayLimits;
  /** Access control lists by name, for listeners and for the acl policy. */
  readonly acls: Readonly<Record<string, AclConfig>>;
  /** Caches by name, for the cache policy. */
  readonly caches: Readonly<Record<string, CacheConfig>>;
  /** Backend pools by name. */
  readonly pools: Readonly<Record<string, PoolConfig>>;
  /** Listeners by name: where clients connect. */
  readonly listeners: Readonly<Record<string, ListenerConfig>>;
  /** What is done with requests, in order of precedence: the first route that matches wins. */
  readonly routes: readonly RouteConfig[];
  /** Tells clients that may know it what became of their own request: whoever of these networks sends the field gets it back in the answer, with listener, route, policies, pool and endpoint. Absent: nobody is told, and it costs nothing. */
  readonly explain?: ExplainConfig;
  /** Requests, and what the config must make of them. If one fails, the config is refused. */
  readonly tests: readonly ConfigTest[];
  /** What must hold of the config, whatever else is changed in it. If one does not, the config is refused. */
  readonly invariants: readonly InvariantConfig[];
}

/** What a request is told by. A request that lacks it, and what is not HTTP, is told by its client's address. A plain string is the source. */
export interface HashKey {
  /** The client's address, or the path of the request in normal form, rewritten if a policy rewrites it, without the query. */
  readonly source?: 'client' | 'path';
  /** The value of that header field of the request, as it is sent on. */
  readonly header?: string;
  /** The value of that cookie. */
  readonly cookie?: string;
}

/** When an endpoint that was taken out is tried again: after the first pause, and then after twice the one before. While no endpoint of the pool is well and it has no fallback, requests do not wait for the pauses. */
export interface HealthBackoffConfig {
  /** The first pause; 0: no pauses. */
  readonly first: number;
  /** The longest pause. */
  readonly max: number;
  /** Tries that may fail before its breaker opens. While no endpoint of the pool is well, as many requests at a time may try this one as it has tries left; with an open breaker one at a time may, and another where one takes longer than a second. */
  readonly retries: number;
  /** Percent by which a pause may be shorter, at random, so that not everything is tried at the same moment. */
  readonly jitter: number;
  /** How often the gateway tries to connect to an endpoint that could not be connected to, beside its pauses, so that it is back as soon as it accepts connections; 0: only requests try it. Where active checks are configured, these do it. */
  readonly probe: number;
}

/** What backends are told of a request: who asks, for which host and over what; and of whom that is believed. HTTP only. */
export interface IdentityConfig {
  /** The form in which backends are told: `forwarded` (RFC 7239), `x_forwarded` (X-Forwarded-For, -Host and -Proto), `both`, which then say the same, or `none`. */
  readonly send: 'both' | 'forwarded' | 'x_forwarded' | 'none';
  /** The form that trusted proxies write. `either`: X-Forwarded-* where X-Forwarded-For is there, else Forwarded. A proxy that writes one form and lets its clients' other form through needs the name of its own form here. */
  readonly believe: 'either' | 'forwarded' | 'x_forwarded';
  /** Send X-Forwarded-Port, the port of the URL that the client asked for. */
  readonly port: boolean;
  /** Send X-Real-IP, the address that ACLs judge. */
  readonly real_ip: boolean;
  /** Messages that get a Via: responses, requests, both or none. Via on a request turns off compression in many backends, nginx among them. */
  readonly via: 'response' | 'request' | 'both' | 'none';
  /** Identity fields of peers that are not trusted proxies, such as X-Forwarded-Prefix and X-Real-IP: `drop` or `pass`. The fields that the gateway writes itself are replaced either way. */
  readonly untrusted: 'drop' | 'pass';
  /** Header fields with an underscore in their name, which many frameworks take for the field with a hyphen: `drop`, `pass`, or `refuse` with 400. Forms of a field that the gateway knows, such as `Content_Length` or `X_Forwarded_For`, never pass. */
  readonly underscores: 'drop' | 'pass' | 'refuse';
}

/** Something that must hold of every config that is to take effect. Checked by `prozy check`, and before a reload is applied. */
export type InvariantConfig = RouteExistsInvariant | NoOpenListenerInvariant | MinEndpointsInvariant | NeverBoundInvariant | HeaderNeverPassedInvariant | NoUnreachableRouteInvariant;

/** Connections to endpoints that are kept for the next request. */
export interface KeepaliveConfig {
  /** Idle connections kept to each endpoint. */
  readonly connections: number;
  /** How long an idle connection is kept; less where the endpoint says so with `Keep-Alive: timeout=N`. 0: no limit. */
  readonly idle: number;
  /** How long a connection is used: when it is older and idle, it is closed. 0: no limit. */
  readonly max_age: number;
  /** Connections made to each endpoint before there is a request for them, when the config takes effect and whenever fewer are left. */
  readonly prewarm: number;
}

/** What clients may ask at most. 0 means no limit where it says so. */
export interface ListenerLimits {
  /** Connections at a time; 0: no limit. Beyond it HTTP clients get a 503, TCP clients a reset. */
  readonly connections: number;
  /** Connections at a time from one address; 0: no limit. HTTP clients beyond it get a 429, TCP clients a reset. */
  readonly connections_per_client: number;
  /** Bytes of a whole request head; 431 beyond. */
  readonly header_size: number;
  /** Fields in a request head; 431 beyond. */
  readonly header_count: number;
  /** Bytes of a request target; 414 beyond. */
  readonly uri_size: number;
  /** Bytes of a request body; 0: no limit. 413 beyond. */
  readonly body_size: number;
}

/** How long to wait for a client. */
export interface ListenerTimeouts {
  /** For a whole request head, from its first byte (or from the connection's start); then 408. */
  readonly header: number;
  /** Between two parts of a request body; then 408. 0: no limit. */
  readonly body: number;
  /** Between two requests on a connection; then it is closed. 0: no limit. */
  readonly idle: number;
  /** Without the client taking a byte of what waits for it; then the connection is broken off. 0: no limit. */
  readonly send: number;
}

/** A place where clients connect. */
export interface ListenerConfig {
  /** `host:port`, `[ipv6]:port` or `unix:/path`. A listening socket is known by its address: a change of the listener's name keeps it. Port 0 takes any free port. The file of a Unix socket at which nobody listens any more is replaced. */
  readonly address: string;
  /** `false` switches the listener off without deleting it: its address is not opened, and its settings are still checked. */
  readonly enabled: boolean;
  /** `http` takes requests by the routes; `tcp` joins each connection to a pool, byte for byte. */
  readonly protocol: 'http' | 'tcp';
  /** The pool of a tcp listener. */
  readonly pool?: string;
  /** Networks of the proxies in front, whose Forwarded, X-Forwarded-* and other identity fields are believed. From all others these fields are replaced or dropped. */
  readonly trusted_proxies: readonly string[];
  /** What backends are told of a request: who asks, for which host and over what; and of whom that is believed. HTTP only. */
  readonly identity: IdentityConfig;
  /** The ACL that clients must pass: 403 over HTTP, a reset over TCP. */
  readonly acl?: string;
  /** What clients may ask at most. 0 means no limit where it says so. */
  readonly limits: ListenerLimits;
  /** How long to wait for a client. */
  readonly timeouts: ListenerTimeouts;
  /** How the paths of requests are read. Rules judge a path as a backend reads it that decodes it; the `…_for_rules` values send it on as it came all the same. A dot segment that only some backends see (`/..%2Fadmin`, `/..;/admin`) is refused with 400 unless the setting for it is `keep`. */
  readonly paths: PathsConfig;
  /** How something is drained when it is not as everything else (`reload.drain`); a route's word counts before its listener's. A plain duration is the deadline. */
  readonly drain?: DrainOverrideConfig;
}

/** What is written about the gateway and its traffic. */
export interface LoggingConfig {
  /** The least important events that the application log (on stderr) shows. */
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** One JSON line for each exchange and each tunnel. Absent: no access log. */
  readonly access?: AccessLogConfig;
}

/** The conditions that a request must all meet. Empty: every request. */
export interface MatchConfig {
  /** The host asked for, without port, in any case: exact, or `*.example.com` for all names below. One or a list. */
  readonly host?: readonly string[];
  /** A condition on the path, as a backend reads it that decodes it (see `paths` of the listener). A plain string is a prefix. */
  readonly path?: PathMatch;
  /** The methods, as sent. */
  readonly methods?: readonly string[];
  /** Header fields by name, in any case. */
  readonly headers: Readonly<Record<string, FieldMatch>>;
  /** Query parameters by name; the first of that name counts, decoded. */
  readonly query: Readonly<Record<string, FieldMatch>>;
}

/** A copy of each request that is sent on goes to another pool too, with the field X-Prozy-Mirror: 1; what that answers is thrown away and changes nothing for the client. Requests of all methods are copied, also those that change something. A copy is sent once, within the timeouts of its pool. Offers to change protocols (upgrades) are not copied. */
export interface MirrorConfig {
  /** The pool that gets the copies. */
  readonly pool: string;
  /** How many of the requests are copied, in percent, drawn at random. */
  readonly share: number;
  /** Copies under way at a time, over all generations; what comes beyond that is dropped and counted. */
  readonly concurrency: number;
  /** Bytes of the body that a copied request may have: the copy is sent when all of it has come. Requests with more are not copied, and counted. */
  readonly body_size: number;
}

/** When the gateway itself has more to do than it can: new requests get a 503 with Retry-After, new tcp connections a reset, and /ready says so. What is under way goes on. */
export interface OverloadConfig {
  /** How late the event loop may be; 0: however late. It ends when it is less than half of that late. */
  readonly loop_delay: number;
  /** Resident memory of the process; 0: however much. It ends at nine tenths of that. */
  readonly memory: number;
}

/** What the traffic itself shows. A connection that cannot be made takes the endpoint out at once; other failures do when there are several in a row. */
export interface PassiveHealthConfig {
  /** Exchanges that fail one after the other before the endpoint is taken out: timeouts, resets, answers that are no HTTP, and what is listed below; 0: these never take it out. */
  readonly failures: number;
  /** Statuses that count as failures. */
  readonly statuses: readonly number[];
  /** A response whose head takes longer than that counts as a failure; 0: however long it takes. */
  readonly latency: number;
  /** Percent of a pool's endpoints that failed exchanges may take out at a time, so that a fault which they all share does not take out all of them. Connections that cannot be made and failed checks are not bounded by it. */
  readonly max_ejected: number;
  /** Takes out endpoints of which clearly fewer exchanges succeed than of the others, though they never fail often enough in a row. */
  readonly success_rate: SuccessRateConfig;
}

/** A condition on the path, as a backend reads it that decodes it (see `paths` of the listener). A plain string is a prefix. */
export interface PathMatch {
  /** Exactly this path. */
  readonly exact?: string;
  /** This path and all below it, by whole segments: `/v1` takes `/v1` and `/v1/x`, not `/v10`. */
  readonly prefix?: string;
  /** A regular expression that the path must contain; anchor it with ^ and $. */
  readonly regex?: string;
}

/** How the paths of requests are read. Rules judge a path as a backend reads it that decodes it; the `…_for_rules` values send it on as it came all the same. A dot segment that only some backends see (`/..%2Fadmin`, `/..;/admin`) is refused with 400 unless the setting for it is `keep`. */
export interface PathsConfig {
  /** What `%2F` and `%5C` are. `decode_for_rules`: a slash to rules, sent as they came. `decode`: a slash to backends too. `keep`: a character like any other. `refuse`: 400. */
  readonly encoded_slash: 'decode_for_rules' | 'decode' | 'keep' | 'refuse';
  /** What `//` is. `merge_for_rules`: one slash to rules, sent as they came. `merge`: one slash to backends too. `keep`: an empty segment. `refuse`: 400. */
  readonly repeated_slashes: 'merge_for_rules' | 'merge' | 'keep' | 'refuse';
  /** What `;` and all that follows it in a segment are, as in `/a;v=1/b`. `remove_for_rules`: nothing to rules, sent as they came. `remove`: nothing to backends either. `keep`: characters like any others. `refuse`: 400. */
  readonly parameters: 'remove_for_rules' | 'remove' | 'keep' | 'refuse';
  /** What becomes of encoded control characters, `%01` to `%1F` and `%7F`. `refuse`: 400. `keep`: they are sent as they came. `%00` is refused in any case. */
  readonly control_characters: 'refuse' | 'keep';
  /** What becomes of characters in a request target that are not ASCII and not percent-encoded. `refuse`: 400. `encode`: UTF-8 is percent-encoded, for rules and for backends; other bytes are refused. */
  readonly raw_utf8: 'refuse' | 'encode';
  /** Which form of the path backends get. `normal`: dot segments are resolved and encoded letters, digits and `-._~` decoded. `received`: the path as it came, for backends that check signatures over it: nothing is then decoded, merged or removed but for rules, and what was not in normal form is not cached. A path that a policy rewrites is sent in normal form. */
  readonly send: 'normal' | 'received';
}

/** A configured behaviour on the way of a request. */
export type PolicyConfig = AclPolicyConfig | CachePolicyConfig | HeadersPolicyConfig | RewritePolicyConfig;

/** How the names of endpoints that are found by name (`dns`) are asked for. An answer that is empty, an error or none at all leaves what was known. */
export interface PoolDnsConfig {
  /** The DNS servers, each an IP address with or without a port; absent: the system's. */
  readonly servers?: readonly string[];
  /** For all that has to be asked about a name. */
  readonly timeout: number;
  /** A name is not asked for again sooner, whatever the TTL of its records, and whatever fails. */
  readonly min_ttl: number;
  /** It is asked for again after that time at the latest. */
  readonly max_ttl: number;
  /** Percent by which the time between two questions may be longer, at random, so that not all gateways ask at the same moment. */
  readonly jitter: number;
  /** An address stays that long after the last answer that had it: for servers that answer with some of many addresses, each time others; 0: it goes with the first answer that lacks it. */
  readonly hold: number;
}

/** How it is known whether an endpoint is well. */
export interface PoolHealthConfig {
  /** Asks each endpoint regularly whether it is well, beside what the traffic shows. */
  readonly active?: ActiveCheckConfig;
  /** What the traffic itself shows. A connection that cannot be made takes the endpoint out at once; other failures do when there are several in a row. */
  readonly passive: PassiveHealthConfig;
  /** When an endpoint that was taken out is tried again: after the first pause, and then after twice the one before. While no endpoint of the pool is well and it has no fallback, requests do not wait for the pauses. */
  readonly backoff: HealthBackoffConfig;
  /** Percent of endpoints: while fewer than that are well, requests go to all of them, since those that are left would break under the load; 0: never. */
  readonly panic: number;
  /** An endpoint that is new or well again gets its share little by little for that long; 0: at once. */
  readonly slow_start: number;
}

/** A second attempt at another endpoint when the first is slow to answer; whichever answers first is passed on. Only for idempotent requests without a body, and within the budget of retries. */
export interface PoolHedgeConfig {
  /** How long the first attempt may take until the head of its response. */
  readonly delay: number;
}

/** What backends may send at most. A response beyond it is a 502. */
export interface PoolLimits {
  /** Bytes of a whole response head. */
  readonly header_size: number;
  /** Fields in a response head. */
  readonly header_count: number;
}

/** Requests and tcp connections that wait because every endpoint that is well has as many as it may have, or because none is well and others are trying them. */
export interface PoolQueueConfig {
  /** How many may wait; beyond that, requests get a 503 with Retry-After. 0: nobody waits. */
  readonly depth: number;
  /** How long one may wait; then it gets a 503 with Retry-After. */
  readonly wait: number;
  /** Who is served first: the one that came first, or, while more than half of the depth is taken, the one that came last, whose client is most likely still there. */
  readonly order: 'fifo' | 'adaptive_lifo';
}

/** Further attempts for a request whose first attempt failed before anything of an answer was passed on. After the request, or a part of it, was sent, only an idempotent request (RFC 9110 §9.2.2) is sent again. */
export interface PoolRetriesConfig {
  /** Further attempts, each at an endpoint that has not been tried as long as there is one. */
  readonly attempts: number;
  /** The failures after which there is another attempt: no connection, a connection that broke before the answer, a timeout, an answer that is no HTTP. Absent: all but `timeout`, and that too where there is a per_try_timeout. */
  readonly on?: readonly ('connect' | 'reset' | 'timeout' | 'bad_response')[];
  /** Statuses after which an idempotent request is tried elsewhere; the last answer is passed on. An endpoint that answered with Retry-After is not asked again for this request. */
  readonly statuses: readonly number[];
  /** For the head of the response, in each attempt; then there is another attempt. 0: as first_byte says. */
  readonly per_try_timeout: number;
  /** Request bodies up to that size are kept until the answer begins, so that an idempotent request can be sent again; 0: none is. */
  readonly body_size: number;
  /** Pauses before the second and any later further attempt, at random between nothing and a bound that doubles. The first further attempt follows at once. */
  readonly backoff: RetryBackoffConfig;
  /** How many attempts beyond their requests' first ones may be under way at a time, so that a pool in trouble is not drowned in them. One for which there is no room asks again a few times, after pauses as the backoff has them, and is then given up. */
  readonly budget: RetryBudgetConfig;
}

/** How long to wait for a backend. */
export interface PoolTimeouts {
  /** For a connection to be made; then another endpoint is tried, or the client gets a 504. */
  readonly connect: number;
  /** From the request sent to the response's head; then the client gets a 504. 0: no limit. */
  readonly first_byte: number;
  /** Without a byte while a body is under way, in either direction: from a backend that is being read, or taken by one that is being sent to. 0: no limit. */
  readonly idle: number;
  /** Without a byte of a `text/event-stream`, in place of `idle`. 0: no limit. */
  readonly stream: number;
  /** Without a byte in either direction in a tunnel: an upgraded connection or a tcp listener's. 0: no limit. */
  readonly tunnel: number;
  /** For a request with all its attempts and pauses, from its head to the last byte of the answer; then the client gets a 504, or its connection ends if the answer had begun. 0: no limit. */
  readonly total: number;
}

/** A set of endpoints that can answer the same requests. */
export interface PoolConfig {
  /** The name that this pool had in the config before: with it its endpoints keep what an operator has said of them (`prozy drain`, `disable`), their health, load and connections, and streams under way go on. It has no effect after that reload, and may be left out of the next edit. */
  readonly renamed_from?: string;
  /** How an endpoint is chosen among those that are well. A plain string is its type. */
  readonly strategy: StrategyConfig;
  /** Keeps a client with the endpoint that it had first, by a cookie, while that endpoint is well; otherwise the strategy chooses anew. HTTP only. Endpoints of weight 0 keep the clients that they have. */
  readonly sticky?: StickyConfig;
  /** The backends. */
  readonly endpoints: readonly EndpointConfig[];
  /** How the names of endpoints that are found by name (`dns`) are asked for. An answer that is empty, an error or none at all leaves what was known. */
  readonly dns: PoolDnsConfig;
  /** How long to wait for a backend. */
  readonly timeouts: PoolTimeouts;
  /** Connections to endpoints that are kept for the next request. */
  readonly keepalive: KeepaliveConfig;
  /** What backends may send at most. A response beyond it is a 502. */
  readonly limits: PoolLimits;
  /** Faults in responses that are passed over instead of answered with a 502, one name for each. `bare_lf`: a line of the head ends in LF alone. `folded_lines`: a field goes on in the next line, which begins with white space. `space_before_colon`: white space between a field's name and its colon. `repeated_content_length`: several Content-Length that say the same. `space_after_chunk_size`: white space at the end of a chunk size's line. `status_above_599`: a status from 600 to 999; it counts as 5xx. The client gets the response in strict form. */
  readonly lenient: readonly ('bare_lf' | 'folded_lines' | 'space_before_colon' | 'repeated_content_length' | 'space_after_chunk_size' | 'status_above_599')[];
  /** The Host that endpoints get, in checks too: `preserve`, the client's (checks: the endpoint's); `endpoint`, the endpoint's DNS name or address as written, without port 80; or a host, with or without a port, that all of them get. The client's host is in X-Forwarded-Host and Forwarded. A host that is really called preserve or endpoint is written with a port. */
  readonly host: string;
  /** Connections to all endpoints together, idle ones included; 0: no limit. What finds no room waits in the queue. */
  readonly max_connections: number;
  /** How it is known whether an endpoint is well. */
  readonly health: PoolHealthConfig;
  /** Further attempts for a request whose first attempt failed before anything of an answer was passed on. After the request, or a part of it, was sent, only an idempotent request (RFC 9110 §9.2.2) is sent again. */
  readonly retries: PoolRetriesConfig;
  /** Requests and tcp connections that wait because every endpoint that is well has as many as it may have, or because none is well and others are trying them. */
  readonly queue: PoolQueueConfig;
  /** What takes a pool's place when none of its endpoints can be had: none is well, none could be connected to, the queue is full or was waited in for too long. Only where nothing of the request had been sent. Exactly one of pool and respond. */
  readonly fallback?: FallbackConfig;
  /** Requests and tunnels under way at all endpoints together; 0: no limit. What finds no room waits in the queue. */
  readonly max_requests: number;
  /** A second attempt at another endpoint when the first is slow to answer; whichever answers first is passed on. Only for idempotent requests without a body, and within the budget of retries. */
  readonly hedge?: PoolHedgeConfig;
}

/** Sends the client elsewhere: the parts given replace those of the request's URL, the rest stays, the query too. */
export interface RedirectConfig {
  /** How final it is, and whether the method stays. */
  readonly status: 301 | 302 | 303 | 307 | 308;
  /** The scheme. */
  readonly scheme?: 'http' | 'https';
  /** The host. */
  readonly host?: string;
  /** The port. */
  readonly port?: number;
  /** The path. */
  readonly path?: string;
}

/** How a changed file takes effect. */
export interface ReloadConfig {
  /** Whether changed files take effect by themselves. false: only SIGHUP, `prozy reload` and a push have them read again. */
  readonly watch: boolean;
  /** How long a file that is written in place, one of the config or one that it refers to, has to stay as it is before it is read: a half of it could be valid. A file that is replaced by a rename, and a link that is pointed elsewhere, are read at once. SIGHUP, `prozy reload` and a push do not wait. */
  readonly settle: number;
  /** What becomes of what a new config would not serve as it is served: how long it may go on, and how it ends. A plain duration is the deadline. */
  readonly drain: DrainConfig;
  /** Generations that may live at a time, the current one included. At one more, what is left on the oldest is ended at once, with its protocol's goodbye and a warning in the log. */
  readonly max_generations: number;
  /** Directory, relative to the file, in which the configs that were in effect are kept: for `prozy history`, `prozy rollback`, and a start with a file that has problems. Made if it is not there. References are kept as they are written, never what they stand for. Absent: nothing is kept. `--state-dir` and PROZY_STATE_DIR count before it. */
  readonly state_dir?: string;
  /** How many configs that were in effect are kept in `state_dir`. */
  readonly history: number;
  /** Whether a start with a file that has problems may serve what was last in effect, as `state_dir` has it. The one that is kept says so of itself. `--no-last-good` forbids it in any case. */
  readonly start_from_last_good: boolean;
  /** What becomes of exchanges and streams under way that the new config would refuse: by an ACL, or as the newest of more connections than a stricter limit of their listener allows. `drain`: they are drained as what is not there any more. `cut`: they are ended at once (WebSocket code 1008). `keep`: they go on for as long as they like. */
  readonly tightened: 'keep' | 'drain' | 'cut';
}

/** A fixed answer. */
export interface RespondConfig {
  /** Its status. */
  readonly status: number;
  /** Its header fields. */
  readonly headers: Readonly<Record<string, string>>;
  /** Its content. */
  readonly body: string;
}

/** Pauses before the second and any later further attempt, at random between nothing and a bound that doubles. The first further attempt follows at once. */
export interface RetryBackoffConfig {
  /** Bound of the first pause; 0: no pauses. */
  readonly first: number;
  /** Largest bound. */
  readonly max: number;
}

/** How many attempts beyond their requests' first ones may be under way at a time, so that a pool in trouble is not drowned in them. One for which there is no room asks again a few times, after pauses as the backoff has them, and is then given up. */
export interface RetryBudgetConfig {
  /** Percent of the pool's requests under way. */
  readonly share: number;
  /** As many are always allowed. */
  readonly min: number;
}

/** What clients may ask of this route at most, over its listener's limits; it may be more. Absent: as there. */
export interface RouteLimitsConfig {
  /** Bytes of a request body; 0: no limit. 413 beyond. */
  readonly body_size?: number;
}

/** Further attempts for requests of this route, over its pool's `retries`; backoff and budget are the pool's. Absent: as there. */
export interface RouteRetriesConfig {
  /** Further attempts, each at an endpoint that has not been tried as long as there is one. */
  readonly attempts?: number;
  /** The failures after which there is another attempt: no connection, a connection that broke before the answer, a timeout, an answer that is no HTTP. Absent: as its pool says. */
  readonly on?: readonly ('connect' | 'reset' | 'timeout' | 'bad_response')[];
  /** Statuses after which an idempotent request is tried elsewhere; the last answer is passed on. An endpoint that answered with Retry-After is not asked again for this request. */
  readonly statuses?: readonly number[];
  /** For the head of the response, in each attempt; then there is another attempt. 0: as first_byte says. */
  readonly per_try_timeout?: number;
  /** Request bodies up to that size are kept until the answer begins, so that an idempotent request can be sent again; 0: none is. */
  readonly body_size?: number;
}

/** How long to wait in exchanges of this route: `body` and `send` over its listener's, the others over its pool's. Absent: as there. */
export interface RouteTimeoutsConfig {
  /** Between two parts of a request body; then 408. 0: no limit. */
  readonly body?: number;
  /** Without the client taking a byte of what waits for it; then the connection is broken off. 0: no limit. */
  readonly send?: number;
  /** From the request sent to the response's head; then the client gets a 504. 0: no limit. */
  readonly first_byte?: number;
  /** Without a byte while a body is under way, in either direction: from a backend that is being read, or taken by one that is being sent to. 0: no limit. */
  readonly idle?: number;
  /** Without a byte of a `text/event-stream`, in place of `idle`. 0: no limit. */
  readonly stream?: number;
  /** Without a byte in either direction in a tunnel: an upgraded connection or a tcp listener's. 0: no limit. */
  readonly tunnel?: number;
  /** For a request with all its attempts and pauses, from its head to the last byte of the answer; then the client gets a 504, or its connection ends if the answer had begun. 0: no limit. */
  readonly total?: number;
}

/** Which requests, and what is done with them. Exactly one of pool, split, respond and redirect. */
export interface RouteConfig {
  /** Unique; seen in logs and metrics. */
  readonly name: string;
  /** `false` switches the route off without deleting it: it takes no requests, and its settings are still checked. */
  readonly enabled: boolean;
  /** The http listeners that it serves. Absent: all of them. */
  readonly listeners?: readonly string[];
  /** The conditions that a request must all meet. Empty: every request. */
  readonly match: MatchConfig;
  /** What happens on the way, outermost first. */
  readonly policies: readonly PolicyConfig[];
  /** Send the request to this pool. */
  readonly pool?: string;
  /** Send each request to one of several pools, by their weights: at random, or as `split_by` says. */
  readonly split?: readonly SplitPartConfig[];
  /** Of a split: requests with the same key go to the same pool, and a change of the weights moves few keys. Absent: each request is drawn by itself. */
  readonly split_by?: HashKey;
  /** A copy of each request that is sent on goes to another pool too, with the field X-Prozy-Mirror: 1; what that answers is thrown away and changes nothing for the client. Requests of all methods are copied, also those that change something. A copy is sent once, within the timeouts of its pool. Offers to change protocols (upgrades) are not copied. */
  readonly mirror?: MirrorConfig;
  /** Location, Content-Location, Refresh and the Path and Domain of cookies get the names that clients know, where a response has those that the gateway has put in their place: a rewritten path, the Host of the pool, the endpoint's own address. */
  readonly map_back: boolean;
  /** A fixed answer. */
  readonly respond?: RespondConfig;
  /** Sends the client elsewhere: the parts given replace those of the request's URL, the rest stays, the query too. */
  readonly redirect?: RedirectConfig;
  /** How long to wait in exchanges of this route: `body` and `send` over its listener's, the others over its pool's. Absent: as there. */
  readonly timeouts?: RouteTimeoutsConfig;
  /** What clients may ask of this route at most, over its listener's limits; it may be more. Absent: as there. */
  readonly limits?: RouteLimitsConfig;
  /** Further attempts for requests of this route, over its pool's `retries`; backoff and budget are the pool's. Absent: as there. */
  readonly retries?: RouteRetriesConfig;
  /** How something is drained when it is not as everything else (`reload.drain`); a route's word counts before its listener's. A plain duration is the deadline. */
  readonly drain?: DrainOverrideConfig;
}

/** One pool of a split. */
export interface SplitPartConfig {
  /** Its name. */
  readonly pool: string;
  /** Its part of the requests, as weight ÷ sum of all weights; 0: none. */
  readonly weight: number;
}

/** Keeps a client with the endpoint that it had first, by a cookie, while that endpoint is well; otherwise the strategy chooses anew. HTTP only. Endpoints of weight 0 keep the clients that they have. */
export interface StickyConfig {
  /** The cookie's name. Pools with different endpoints that the same clients use on one host need different names. */
  readonly cookie: string;
  /** Signs the cookie (HMAC-SHA256 over the endpoint's address), so that nobody can guess one who was not given it. Every gateway that is to know the cookies of the others needs the same. Absent: the cookie is a plain hash of the endpoint's address, unsigned; whoever knows the address can choose it. */
  readonly secret?: string;
  /** The cookie's Path. */
  readonly path: string;
  /** The cookie's Max-Age, counted from when it was first given. Absent: it lasts for the browser's session. */
  readonly ttl?: number;
  /** Clients send it over TLS only. */
  readonly secure: boolean;
  /** Scripts in the page can't see it. */
  readonly http_only: boolean;
  /** Whether requests that other sites cause carry it: `lax` when they lead there, `strict` never, `none` always (needs `secure`). */
  readonly same_site: 'lax' | 'strict' | 'none';
}

/** How an endpoint is chosen among those that are well. A plain string is its type. */
export type StrategyConfig = RoundRobinConfig | WeightedRoundRobinConfig | LeastConnectionsConfig | RandomConfig | IpHashConfig | P2cConfig | RingHashConfig | MaglevConfig;

/** Takes out endpoints of which clearly fewer exchanges succeed than of the others, though they never fail often enough in a row. */
export interface SuccessRateConfig {
  /** Standard deviations of the endpoints' success rates by which one must be below their mean; 0: none is taken out for its rate. */
  readonly deviations: number;
  /** Points of a hundred by which it must be below the mean in any case, however alike the others are. Besides, it must be further below than chance explains. */
  readonly margin: number;
  /** How long is counted before rates are compared. */
  readonly interval: number;
  /** Endpoints with enough requests that there must be to compare. */
  readonly min_endpoints: number;
  /** Exchanges of an endpoint within the interval without which its rate says nothing. */
  readonly min_requests: number;
}

/** What must become of the request. Everything that is said here must hold; at least one thing must be said. */
export interface TestExpectation {
  /** The listener that it comes to. */
  readonly listener?: string;
  /** The route that takes it. */
  readonly route?: string;
  /** Whether it passes the listener's ACL and every policy of its route. */
  readonly allowed?: boolean;
  /** What refuses it: `listener` for the listener's ACL, else the type of a policy. */
  readonly denied_by?: string;
  /** Status of an answer that the gateway gives itself: a fixed one, a redirect, a refusal, a 404. */
  readonly status?: number;
  /** Where a redirect sends it, whole. */
  readonly location?: string;
  /** The pool that it is sent to. Of a split that draws, every pool that may be drawn must be among these. */
  readonly pool?: readonly string[];
  /** The endpoint that it is sent to while all are well: every one that may be chosen must be among these. */
  readonly endpoint?: readonly string[];
  /** Path and query that it is sent on with. */
  readonly path?: string;
  /** Header fields that it is sent on with, by name. */
  readonly request_headers: Readonly<Record<string, FieldMatch>>;
}

/** A request as a client would send it. None is sent. */
export interface TestRequest {
  /** The method. */
  readonly method: string;
  /** Absolute. Its host, with the port if it has one, is the Host field; path and query are sent as they are written, a name that is not ASCII in its `xn--` form. */
  readonly url: string;
  /** Address that the connection comes from. The default is nobody's, so that no rule for somebody holds by chance. */
  readonly client: string;
  /** Header fields by name; a list sends the field several times. A `host` here replaces that of the URL. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** The http listener that it comes to. Absent: the one on the URL's port, else the only one. */
  readonly listener?: string;
}

/** Refuses clients that an ACL does not allow: 403. */
export interface AclPolicyConfig {
  /** Which policy this is. */
  readonly type: 'acl';
  /** `false` switches the policy off without deleting it: requests pass as if it were not there, and its settings are still checked. */
  readonly enabled: boolean;
  /** The ACL's name. */
  readonly acl: string;
}

/** Answers from stored responses, and stores what may be stored, as a shared cache after RFC 9111. Policies before it see every request, those behind it what is sent on. */
export interface CachePolicyConfig {
  /** Which policy this is. */
  readonly type: 'cache';
  /** `false` switches the policy off without deleting it: requests pass as if it were not there, and its settings are still checked. */
  readonly enabled: boolean;
  /** Name of the cache that responses are kept in. */
  readonly cache: string;
  /** How long a response is fresh that says nothing about it, neither outright nor by its Last-Modified. Absent: not at all. */
  readonly default_ttl?: number;
  /** The least time that a response which may be stored is fresh, whatever it says. */
  readonly min_ttl: number;
  /** The longest time that a response is fresh, whatever it says. Absent: no limit. */
  readonly max_ttl?: number;
  /** How long a response that has gone stale is still given while it is asked for anew, if it does not say so itself (RFC 5861 §3). Only for responses that were fresh for some time. */
  readonly stale_while_revalidate: number;
  /** How long a response that has gone stale is given in place of an error, if it does not say so itself (RFC 5861 §4). Only for responses that were fresh for some time. */
  readonly stale_if_error: number;
  /** How long a response that has gone stale is given when the origin cannot be reached, unless it forbids that (RFC 9111 §4.2.4). Only for responses that were fresh for some time: by their own word, their Last-Modified, `default_ttl` or `min_ttl`. */
  readonly stale_if_unreachable: number;
  /** Whether clients may ask for fresher responses than the origin wants (Cache-Control and Pragma of requests). `ignore` keeps clients from sending every request on. */
  readonly request_directives: 'obey' | 'ignore';
  /** Whether responses with a Set-Cookie are stored: none, or those that say how long they are fresh (or `public`), whose cookie every client then gets. */
  readonly set_cookie: 'never' | 'explicit';
  /** Whether 401 responses are stored: none, or those that say how long they are fresh. */
  readonly unauthorized: 'never' | 'explicit';
  /** Which stored responses answer requests with an Authorization field: those that say that such requests may share them (`public`, `must-revalidate` or `s-maxage`), or any. */
  readonly authorization: 'explicit' | 'any';
  /** Requests that meet any of these conditions are neither answered from the cache nor stored. */
  readonly bypass: readonly CacheConditionConfig[];
  /** Requests that meet any of these conditions may be answered from the cache; what the origin answers them is not stored. */
  readonly no_store: readonly CacheConditionConfig[];
  /** How long a request waits for the response to another one for the same thing before it is sent on itself. 0: not at all. */
  readonly collapse_wait: number;
  /** Bytes of a response's body that may still be missing for it to be fetched to its end when all who asked for it are gone. */
  readonly finish: number;
  /** Whether answers say in a Cache-Status field what the cache did (RFC 9211). */
  readonly status_header: boolean;
}

/** Changes header fields on the way. */
export interface HeadersPolicyConfig {
  /** Which policy this is. */
  readonly type: 'headers';
  /** `false` switches the policy off without deleting it: requests pass as if it were not there, and its settings are still checked. */
  readonly enabled: boolean;
  /** Changes to header fields: first what is removed, then what is set, then what is added. */
  readonly request: FieldEditsConfig;
  /** Changes to header fields: first what is removed, then what is set, then what is added. */
  readonly response: FieldEditsConfig;
}

/** Puts another prefix in place of the path's. */
export interface RewritePolicyConfig {
  /** Which policy this is. */
  readonly type: 'rewrite';
  /** `false` switches the policy off without deleting it: requests pass as if it were not there, and its settings are still checked. */
  readonly enabled: boolean;
  /** The prefix to replace, by whole segments. */
  readonly prefix: string;
  /** What takes its place. */
  readonly replacement: string;
}

/** The same endpoint for the same client address. When one goes, only its own clients move, and they spread over the others. */
export interface IpHashConfig {
  /** Which strategy this is. */
  readonly type: 'ip_hash';
}

/** The endpoint with the fewest requests and tunnels under way for its weight; among equals each in turn. */
export interface LeastConnectionsConfig {
  /** Which strategy this is. */
  readonly type: 'least_connections';
}

/** The same endpoint for the same key, by a Maglev table: keys are spread more evenly than by a hash ring, and a few more of them move when endpoints are added or removed. */
export interface MaglevConfig {
  /** Which strategy this is. */
  readonly type: 'maglev';
  /** What a request is told by. A request that lacks it, and what is not HTTP, is told by its client's address. A plain string is the source. */
  readonly key: HashKey;
  /** Places in the table, a prime number; at least 100 for each endpoint spread the keys within 1 percent. */
  readonly table_size: number;
}

/** Of two endpoints drawn by weight, the one with less to wait for: requests under way times average time to the response's head, for its weight. */
export interface P2cConfig {
  /** Which strategy this is. */
  readonly type: 'p2c';
}

/** Any endpoint, as likely as its weight says. */
export interface RandomConfig {
  /** Which strategy this is. */
  readonly type: 'random';
}

/** The same endpoint for the same key, by a hash ring: when endpoints come or go, no more keys move than must. */
export interface RingHashConfig {
  /** Which strategy this is. */
  readonly type: 'ring_hash';
  /** What a request is told by. A request that lacks it, and what is not HTTP, is told by its client's address. A plain string is the source. */
  readonly key: HashKey;
  /** Points on the ring for an endpoint of average weight. More: the keys are spread more evenly, and it takes more memory; with 512 nobody has more than about 15 percent too many or too few. */
  readonly replicas: number;
}

/** Each endpoint in turn, whatever its weight, if it is not 0. */
export interface RoundRobinConfig {
  /** Which strategy this is. */
  readonly type: 'round_robin';
}

/** Each endpoint in turn as often as its weight says, spread evenly: 5, 1, 1 gives a a b a c a a. */
export interface WeightedRoundRobinConfig {
  /** Which strategy this is. */
  readonly type: 'weighted_round_robin';
}

/** No route may pass a header field of the request on to a pool: its policies must remove it, or set it to a value of their own. */
export interface HeaderNeverPassedInvariant {
  /** Which invariant this is. */
  readonly type: 'header_never_passed';
  /** The field's name. */
  readonly header: string;
  /** Only to these pools. Absent: to any. */
  readonly pools?: readonly string[];
}

/** A pool must have so many endpoints of weight above 0. */
export interface MinEndpointsInvariant {
  /** Which invariant this is. */
  readonly type: 'min_endpoints';
  /** Its name. Absent: every pool. */
  readonly pool?: string;
  /** How many at least. */
  readonly endpoints: number;
}

/** No listener, the admin listener included, may be bound there. Exactly one of address, port and wildcard. */
export interface NeverBoundInvariant {
  /** Which invariant this is. */
  readonly type: 'never_bound';
  /** `host:port`, `[ipv6]:port` or `unix:/path`. A listener on all addresses of that port is bound there too. */
  readonly address?: string;
  /** This port, on whatever address. */
  readonly port?: number;
  /** All addresses of the machine at once, as `0.0.0.0` and `[::]` are. */
  readonly wildcard?: true;
}

/** No listener may be open to the world: one that is not bound to loopback or a Unix socket needs an ACL that keeps strangers out, or every route that it serves needs a policy that does. The admin listener, which has no such thing, must be on loopback. */
export interface NoOpenListenerInvariant {
  /** Which invariant this is. */
  readonly type: 'no_open_listener';
  /** Listeners that may be. */
  readonly except: readonly string[];
}

/** No route may stand behind one that takes all its requests. Without this invariant such a route is a warning. */
export interface NoUnreachableRouteInvariant {
  /** Which invariant this is. */
  readonly type: 'no_unreachable_route';
  /** Routes that may. */
  readonly except: readonly string[];
}

/** A route must be there, and lead where it should. */
export interface RouteExistsInvariant {
  /** Which invariant this is. */
  readonly type: 'route_exists';
  /** Its name. */
  readonly route: string;
  /** The pools that it may lead to: each that it sends to must be among these. */
  readonly pool?: readonly string[];
  /** Types of policies that it must have. */
  readonly policies?: readonly string[];
}

/** All schemas in one, draft 2020-12. */
export const schema: object = {
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "GatewayConfig",
  "description": "A gateway: everything that one file (and what it includes) declares.",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "$schema": {
      "description": "Where an editor finds this schema.",
      "type": "string"
    },
    "version": {
      "description": "Version of the config language.",
      "const": 1
    },
    "include": {
      "description": "Files to merge, as globs (but for `**`) relative to this file: named maps are merged; routes, tests and invariants appended in the order of the files' names.",
      "type": "array",
      "items": {
        "type": "string",
        "minLength": 1
      },
      "default": [],
      "examples": [
        [
          "conf.d/*.yaml"
        ]
      ]
    },
    "admin": {
      "$ref": "#/$defs/admin"
    },
    "logging": {
      "$ref": "#/$defs/logging",
      "default": {}
    },
    "reload": {
      "$ref": "#/$defs/reload",
      "default": {}
    },
    "limits": {
      "$ref": "#/$defs/gateway-limits",
      "default": {}
    },
    "acls": {
      "description": "Access control lists by name, for listeners and for the acl policy.",
      "type": "object",
      "additionalProperties": {
        "$ref": "#/$defs/acl"
      },
      "propertyNames": {
        "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
        "x-says": "must be a name of letters, digits, _ . and -"
      },
      "default": {}
    },
    "caches": {
      "description": "Caches by name, for the cache policy.",
      "type": "object",
      "additionalProperties": {
        "$ref": "#/$defs/cache"
      },
      "propertyNames": {
        "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
        "x-says": "must be a name of letters, digits, _ . and -"
      },
      "default": {}
    },
    "pools": {
      "description": "Backend pools by name.",
      "type": "object",
      "additionalProperties": {
        "$ref": "#/$defs/pool"
      },
      "propertyNames": {
        "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
        "x-says": "must be a name of letters, digits, _ . and -"
      },
      "default": {}
    },
    "listeners": {
      "description": "Listeners by name: where clients connect.",
      "type": "object",
      "additionalProperties": {
        "$ref": "#/$defs/listener"
      },
      "propertyNames": {
        "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
        "x-says": "must be a name of letters, digits, _ . and -"
      },
      "default": {}
    },
    "routes": {
      "description": "What is done with requests, in order of precedence: the first route that matches wins.",
      "type": "array",
      "items": {
        "$ref": "#/$defs/route"
      },
      "default": []
    },
    "explain": {
      "$ref": "#/$defs/explain"
    },
    "tests": {
      "description": "Requests, and what the config must make of them. If one fails, the config is refused.",
      "type": "array",
      "items": {
        "$ref": "#/$defs/config-test"
      },
      "default": []
    },
    "invariants": {
      "description": "What must hold of the config, whatever else is changed in it. If one does not, the config is refused.",
      "type": "array",
      "items": {
        "$ref": "#/$defs/invariant"
      },
      "default": []
    }
  },
  "required": [
    "version"
  ],
  "$defs": {
    "access-log": {
      "title": "AccessLogConfig",
      "description": "One JSON line for each exchange and each tunnel. Absent: no access log.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "path": {
          "description": "`stdout`, `stderr`, or a file that is appended to; relative to the file that names it. Opened again on SIGHUP and SIGUSR1.",
          "type": "string",
          "minLength": 1,
          "default": "stdout"
        }
      },
      "x-state": "the file that is open"
    },
    "acl": {
      "title": "AclConfig",
      "description": "Which client addresses are allowed: the deny list is asked first, then the allow list if it is not empty, then the default.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "default": {
          "description": "What holds for an address that is on neither list, if there is no allow list.",
          "enum": [
            "allow",
            "deny"
          ],
          "default": "allow"
        },
        "allow": {
          "description": "Networks or addresses that are allowed; if there are any, all others are denied.",
          "type": "array",
          "items": {
            "type": "string",
            "format": "cidr"
          },
          "default": [],
          "examples": [
            [
              "10.0.0.0/8",
              "::1"
            ]
          ]
        },
        "deny": {
          "description": "Networks or addresses that are denied.",
          "type": "array",
          "items": {
            "type": "string",
            "format": "cidr"
          },
          "default": []
        }
      }
    },
    "active-check": {
      "title": "ActiveCheckConfig",
      "description": "Asks each endpoint regularly whether it is well, beside what the traffic shows.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "http: a request is answered as it should be. tcp: a connection is accepted.",
          "enum": [
            "http",
            "tcp"
          ],
          "default": "http"
        },
        "path": {
          "description": "Where the request goes, with its query.",
          "type": "string",
          "format": "path-and-query",
          "default": "/"
        },
        "host": {
          "description": "The Host of the request; absent: the pool's `host`, or else the endpoint's own name or address.",
          "type": "string",
          "format": "field-value"
        },
        "method": {
          "description": "The request's method.",
          "enum": [
            "GET",
            "HEAD"
          ],
          "default": "GET"
        },
        "status": {
          "description": "Statuses that are well, one by one or as ranges.",
          "type": "array",
          "minItems": 1,
          "items": {
            "type": "string",
            "pattern": "^[1-5][0-9]{2}(-[1-5][0-9]{2})?$",
            "x-says": "must be a status such as 204 or a range such as 200-399",
            "x-number": true
          },
          "default": [
            "200-399"
          ],
          "x-list": true,
          "examples": [
            [
              200,
              "204-206"
            ]
          ]
        },
        "body": {
          "description": "A text that the first 64 KiB of the answer must contain; absent: anything will do.",
          "type": "string",
          "minLength": 1
        },
        "port": {
          "description": "A port of its own for the checks; absent: the endpoint's.",
          "type": "integer",
          "minimum": 1,
          "maximum": 65535
        },
        "interval": {
          "description": "From the end of one check to the beginning of the next.",
          "type": "string",
          "format": "duration",
          "default": "10s",
          "x-reload": "keep",
          "x-above-zero": "endpoints would be checked without a pause"
        },
        "jitter": {
          "description": "Percent by which an interval may be shorter, at random, so that not all endpoints are asked at the same moment.",
          "type": "integer",
          "minimum": 0,
          "maximum": 100,
          "default": 10,
          "x-reload": "keep"
        },
        "timeout": {
          "description": "For a whole check.",
          "type": "string",
          "format": "duration",
          "default": "5s",
          "x-reload": "keep",
          "x-above-zero": "an endpoint that does not answer would never fail its check"
        },
        "healthy": {
          "description": "Checks that must succeed one after the other before an endpoint that was out is well again.",
          "type": "integer",
          "minimum": 1,
          "default": 2,
          "x-reload": "keep"
        },
        "unhealthy": {
          "description": "Checks that must fail one after the other before an endpoint is out.",
          "type": "integer",
          "minimum": 1,
          "default": 3,
          "x-reload": "keep"
        }
      },
      "x-state": "what the check has found so far"
    },
    "admin-push": {
      "title": "AdminPush",
      "description": "Lets the config be read and written over the admin listener (`GET /config`, `PUT /config`) by whoever has a token. What is pushed is written to the config file, so that the file stays what is in effect; where that can't be done, it is refused. Whoever may push a config may do whatever the gateway may, and read every file that it may read. Absent: nobody may.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "token": {
          "description": "What is sent as `Authorization: Bearer TOKEN` (RFC 6750). Must be a reference, since the config itself is shown to those who have it.",
          "type": "string",
          "minLength": 16,
          "pattern": "^[A-Za-z0-9._~+/-]+=*$",
          "x-says": "must be of letters, digits and -._~+/ (RFC 6750)",
          "x-secret": true,
          "examples": [
            "${file:secrets/push-token}"
          ],
          "x-reload": "keep"
        },
        "max_size": {
          "description": "A larger config is refused.",
          "type": "string",
          "format": "size",
          "default": "1MiB",
          "x-reload": "keep"
        }
      },
      "required": [
        "token"
      ]
    },
    "admin": {
      "title": "AdminConfig",
      "description": "A listener of its own for operators: health, metrics and what is going on. Reading needs no authentication: keep it on loopback or a private network. Actions (drain, purge, reload, rollback, …) need the `token`; without one they are taken from this machine only. Absent: there is none.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "address": {
          "description": "Where it listens.",
          "type": "string",
          "format": "listen-address",
          "examples": [
            "127.0.0.1:9090"
          ]
        },
        "hosts": {
          "description": "Names that clients ask for it by, exact or `*.example.com`, besides IP addresses, names without a dot, and names below `localhost`, `local` and `internal`. Requests for other hosts get a 421, since a page of any site could send them through its visitor's browser (DNS rebinding); `/health` and `/ready` are answered under any.",
          "type": "array",
          "items": {
            "type": "string",
            "minLength": 1,
            "pattern": "^(\\*\\.)?[A-Za-z0-9._-]+$",
            "x-says": "must be a host name without port, or *.example.com"
          },
          "default": [],
          "examples": [
            [
              "prozy.example.com"
            ]
          ],
          "x-reload": "keep"
        },
        "token": {
          "description": "What actions must send as `Authorization: Bearer TOKEN` (RFC 6750). Must be a reference. Absent: the token of `push`, if there is one.",
          "type": "string",
          "minLength": 16,
          "pattern": "^[A-Za-z0-9._~+/-]+=*$",
          "x-says": "must be of letters, digits and -._~+/ (RFC 6750)",
          "x-secret": true,
          "examples": [
            "${file:secrets/admin-token}"
          ],
          "x-reload": "keep"
        },
        "push": {
          "$ref": "#/$defs/admin-push"
        }
      },
      "required": [
        "address"
      ],
      "x-state": "the listening socket; connections go on"
    },
    "cache-condition": {
      "title": "CacheConditionConfig",
      "description": "Something about a request: it has this header field, cookie or query parameter.",
      "type": "object",
      "additionalProperties": false,
      "x-exactly-one": [
        "header",
        "cookie",
        "query"
      ],
      "properties": {
        "header": {
          "description": "Name of a header field.",
          "type": "string",
          "format": "field-name"
        },
        "cookie": {
          "description": "Name of a cookie.",
          "type": "string",
          "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
          "x-says": "must be a cookie name"
        },
        "query": {
          "description": "Name of a query parameter.",
          "type": "string",
          "minLength": 1
        },
        "value": {
          "description": "The value that it has. Absent: any.",
          "type": "string"
        }
      }
    },
    "cache-disk": {
      "title": "CacheDiskConfig",
      "description": "A directory in which the responses of a cache are kept as well, many more than fit into memory. They are there again after a restart, also after one that nobody planned.",
      "type": "object",
      "additionalProperties": false,
      "x-state": "every stored response",
      "properties": {
        "path": {
          "description": "The directory, which the cache has to itself. It is made if it is not there. Relative: to where the gateway was started.",
          "type": "string",
          "minLength": 1,
          "examples": [
            "/var/cache/prozy/pages"
          ]
        },
        "max_size": {
          "description": "Bytes that the files in it may take. The oldest make room, but for what has been asked for again.",
          "type": "string",
          "format": "size",
          "default": "1GiB",
          "x-reload": "keep"
        }
      },
      "required": [
        "path"
      ]
    },
    "cache-key": {
      "title": "CacheKeyConfig",
      "description": "What tells stored responses apart, besides scheme, host, path and what their Vary names.",
      "type": "object",
      "additionalProperties": false,
      "x-state": "every stored response",
      "properties": {
        "query": {
          "description": "Names of the query parameters that count. Absent: all of them do. Empty: none does.",
          "type": "array",
          "items": {
            "type": "string",
            "minLength": 1
          },
          "examples": [
            [
              "page",
              "lang"
            ]
          ]
        },
        "ignore_query": {
          "description": "Names of query parameters that do not count.",
          "type": "array",
          "items": {
            "type": "string",
            "minLength": 1
          },
          "default": [],
          "examples": [
            [
              "utm_source",
              "utm_medium",
              "utm_campaign"
            ]
          ]
        },
        "sort_query": {
          "description": "Whether the order of the query parameters is without meaning.",
          "type": "boolean",
          "default": false
        },
        "headers": {
          "description": "Header fields of the request whose values count.",
          "type": "array",
          "items": {
            "type": "string",
            "format": "field-name"
          },
          "default": []
        },
        "cookies": {
          "description": "Cookies whose values count.",
          "type": "array",
          "items": {
            "type": "string",
            "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
            "x-says": "must be a cookie name"
          },
          "default": []
        }
      }
    },
    "cache": {
      "title": "CacheConfig",
      "description": "A store of responses, for the cache policy. Several routes may share one; each finds only what was stored for it.",
      "type": "object",
      "additionalProperties": false,
      "x-state": "every stored response",
      "properties": {
        "max_size": {
          "description": "Bytes that the responses may take in memory, heads, keys and bookkeeping included. The ones least recently used make room.",
          "type": "string",
          "format": "size",
          "default": "64MiB",
          "x-reload": "keep"
        },
        "max_entry_size": {
          "description": "Bytes of the largest body that is stored. Larger ones are passed on as they come.",
          "type": "string",
          "format": "size",
          "default": "1MiB",
          "x-reload": "keep"
        },
        "key": {
          "$ref": "#/$defs/cache-key",
          "default": {}
        },
        "disk": {
          "$ref": "#/$defs/cache-disk"
        }
      }
    },
    "config-test": {
      "title": "ConfigTest",
      "description": "A request, and what the config must make of it. Run by `prozy check`, and before a reload is applied: if one fails, the config is refused.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "name": {
          "description": "What it is about, for people; told when it fails.",
          "type": "string",
          "minLength": 1
        },
        "request": {
          "$ref": "#/$defs/test-request"
        },
        "expect": {
          "$ref": "#/$defs/test-expectation"
        }
      },
      "required": [
        "request",
        "expect"
      ]
    },
    "dns-name": {
      "title": "DnsNameConfig",
      "description": "Endpoints that are found by name: each address of the name is an endpoint of its own, and they come and go as the name's answers do. A plain string is the name.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "name": {
          "description": "`name:port`, or with `type: srv` the name alone. One that ends with a dot, or is asked of `servers`, is taken as it is; others are completed by the system's search list.",
          "type": "string",
          "format": "dns-name",
          "examples": [
            "app.default.svc.cluster.local.:3000"
          ]
        },
        "type": {
          "description": "What is asked. auto: A, or AAAA if there is no A. both: A and AAAA. srv: SRV, whose records say ports, priorities and weights (RFC 2782), then A or AAAA of their targets.",
          "enum": [
            "auto",
            "a",
            "aaaa",
            "both",
            "srv"
          ],
          "default": "auto"
        }
      },
      "required": [
        "name"
      ],
      "x-short": "name",
      "x-state": "what is known of the name"
    },
    "drain-override": {
      "title": "DrainOverrideConfig",
      "description": "How something is drained when it is not as everything else (`reload.drain`); a route's word counts before its listener's. A plain duration is the deadline.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "deadline": {
          "description": "As in `reload.drain`. Absent: as there.",
          "type": "string",
          "format": "duration",
          "x-reload": "keep",
          "x-above-zero": "`1ms` ends it at once, `action: finish` lets it go on"
        },
        "action": {
          "description": "As in `reload.drain`. Absent: as there.",
          "enum": [
            "goodbye",
            "close",
            "finish"
          ],
          "x-reload": "keep"
        },
        "spread": {
          "description": "As in `reload.drain`. Absent: as there.",
          "type": "string",
          "format": "duration",
          "x-reload": "keep"
        }
      },
      "x-short": "deadline"
    },
    "drain": {
      "title": "DrainConfig",
      "description": "What becomes of what a new config would not serve as it is served: how long it may go on, and how it ends. A plain duration is the deadline.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "delay": {
          "description": "How long a stop goes on accepting connections and requests, so that load balancers notice first: `/ready` says 503, and each response says `Connection: close`. The deadline counts from then on. Absent: 5s where there is an admin listener; 0 without one, since `/ready` cannot be asked, and in a terminal.",
          "type": "string",
          "format": "duration",
          "examples": [
            "10s"
          ],
          "x-reload": "keep"
        },
        "deadline": {
          "description": "How long it may go on after the reload. Also the longest that a graceful shutdown takes.",
          "type": "string",
          "format": "duration",
          "default": "60s",
          "x-reload": "keep",
          "x-above-zero": "`1ms` ends everything at once, `action: finish` ends nothing"
        },
        "action": {
          "description": "What is done then. `goodbye`: it is ended with what its protocol has to say: a response gets `Connection: close`, a WebSocket the close code 1012; what has no word for it is closed. `close`: it is ended without a word. `finish`: nothing, it ends by itself, whenever that is.",
          "enum": [
            "goodbye",
            "close",
            "finish"
          ],
          "default": "goodbye",
          "x-reload": "keep"
        },
        "spread": {
          "description": "The time before the deadline over which the ends are spread, so that clients do not come back all at once; never more than half of the deadline. 0: all at the deadline.",
          "type": "string",
          "format": "duration",
          "default": "10s",
          "x-reload": "keep"
        }
      },
      "x-short": "deadline"
    },
    "endpoint": {
      "title": "EndpointConfig",
      "description": "One backend, or all those that a name stands for. A plain string is its address.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "address": {
          "description": "`host:port`, `[ipv6]:port` or `unix:/path`. A host name is one endpoint, for which the system is asked with each new connection.",
          "type": "string",
          "format": "address",
          "examples": [
            "10.0.0.1:3000"
          ]
        },
        "dns": {
          "$ref": "#/$defs/dns-name"
        },
        "enabled": {
          "description": "`false` switches the endpoint off without deleting it: it gets no requests and no checks, as if it were removed, and its settings are still checked.",
          "type": "boolean",
          "default": true,
          "x-reload": "keep"
        },
        "weight": {
          "description": "Its share relative to the others; 0: it gets nothing. Of a name: of each of its addresses; with `type: srv` it multiplies the weights of the records.",
          "type": "integer",
          "minimum": 0,
          "maximum": 1000,
          "default": 1,
          "x-reload": "keep"
        },
        "max_connections": {
          "description": "Connections to it, or to each address of a name, idle ones included; 0: no limit.",
          "type": "integer",
          "minimum": 0,
          "default": 0,
          "x-reload": "keep"
        },
        "max_requests": {
          "description": "Requests and tunnels under way at it, or at each address of a name; 0: no limit.",
          "type": "integer",
          "minimum": 0,
          "default": 0,
          "x-reload": "keep"
        }
      },
      "x-exactly-one": [
        "address",
        "dns"
      ],
      "x-short": "address",
      "x-state": "the endpoint's health, load and connections"
    },
    "explain": {
      "title": "ExplainConfig",
      "description": "Tells clients that may know it what became of their own request: whoever of these networks sends the field gets it back in the answer, with listener, route, policies, pool and endpoint. Absent: nobody is told, and it costs nothing.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "header": {
          "description": "The field that asks, with any value, and that answers. A request whose route removes the field (a headers policy) is not told.",
          "type": "string",
          "format": "field-name",
          "default": "x-prozy-explain"
        },
        "allow": {
          "description": "Networks or addresses of the clients that may know, as ACLs judge them.",
          "type": "array",
          "minItems": 1,
          "items": {
            "type": "string",
            "format": "cidr"
          },
          "examples": [
            [
              "127.0.0.1",
              "10.0.0.0/8"
            ]
          ]
        }
      },
      "required": [
        "allow"
      ]
    },
    "fallback": {
      "title": "FallbackConfig",
      "description": "What takes a pool's place when none of its endpoints can be had: none is well, none could be connected to, the queue is full or was waited in for too long. Only where nothing of the request had been sent. Exactly one of pool and respond.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "pool": {
          "description": "Another pool, which may have a fallback in turn: a chain has three pools at most.",
          "type": "string",
          "x-reload": "keep"
        },
        "respond": {
          "$ref": "#/$defs/respond",
          "x-reload": "keep"
        }
      },
      "x-exactly-one": [
        "pool",
        "respond"
      ]
    },
    "field-edits": {
      "title": "FieldEditsConfig",
      "description": "Changes to header fields: first what is removed, then what is set, then what is added.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "set": {
          "description": "Fields that get this value in place of any they had.",
          "type": "object",
          "additionalProperties": {
            "type": "string",
            "format": "field-value"
          },
          "propertyNames": {
            "format": "field-name"
          },
          "default": {}
        },
        "add": {
          "description": "Fields that get this value beside those they had.",
          "type": "object",
          "additionalProperties": {
            "type": "string",
            "format": "field-value"
          },
          "propertyNames": {
            "format": "field-name"
          },
          "default": {}
        },
        "remove": {
          "description": "Fields that are taken out.",
          "type": "array",
          "items": {
            "type": "string",
            "format": "field-name"
          },
          "default": []
        }
      }
    },
    "field-match": {
      "title": "FieldMatch",
      "description": "A condition on one header field or query parameter. A plain string is an exact value.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "exact": {
          "description": "Exactly this value.",
          "type": "string"
        },
        "regex": {
          "description": "A regular expression that the value must contain.",
          "type": "string",
          "format": "safe-regex"
        },
        "present": {
          "description": "Whether it must be there or must not.",
          "type": "boolean"
        }
      },
      "x-short": "exact",
      "x-exactly-one": [
        "exact",
        "regex",
        "present"
      ]
    },
    "gateway-limits": {
      "title": "GatewayLimits",
      "description": "Limits on the gateway as a whole.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "connections": {
          "description": "Client connections of all listeners together; 0: as many as there are file descriptors for, two to each. HTTP clients beyond it get a 503, TCP clients a reset. Past the file descriptors nobody is refused: who connects waits until there is room, but at a Unix socket.",
          "type": "integer",
          "minimum": 0,
          "default": 0
        },
        "overload": {
          "$ref": "#/$defs/overload",
          "default": {}
        }
      }
    },
    "hash-key": {
      "title": "HashKey",
      "description": "What a request is told by. A request that lacks it, and what is not HTTP, is told by its client's address. A plain string is the source.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "source": {
          "description": "The client's address, or the path of the request in normal form, rewritten if a policy rewrites it, without the query.",
          "enum": [
            "client",
            "path"
          ],
          "x-reload": "keep"
        },
        "header": {
          "description": "The value of that header field of the request, as it is sent on.",
          "type": "string",
          "format": "field-name",
          "x-reload": "keep"
        },
        "cookie": {
          "description": "The value of that cookie.",
          "type": "string",
          "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
          "x-says": "must be a cookie name",
          "x-reload": "keep"
        }
      },
      "x-short": "source",
      "x-exactly-one": [
        "source",
        "header",
        "cookie"
      ]
    },
    "health-backoff": {
      "title": "HealthBackoffConfig",
      "description": "When an endpoint that was taken out is tried again: after the first pause, and then after twice the one before. While no endpoint of the pool is well and it has no fallback, requests do not wait for the pauses.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "first": {
          "description": "The first pause; 0: no pauses.",
          "type": "string",
          "format": "duration",
          "default": "5s",
          "x-reload": "keep"
        },
        "max": {
          "description": "The longest pause.",
          "type": "string",
          "format": "duration",
          "default": "300s",
          "x-reload": "keep",
          "x-above-zero": "an endpoint that fails would be tried without a pause"
        },
        "retries": {
          "description": "Tries that may fail before its breaker opens. While no endpoint of the pool is well, as many requests at a time may try this one as it has tries left; with an open breaker one at a time may, and another where one takes longer than a second.",
          "type": "integer",
          "minimum": 0,
          "default": 5,
          "x-reload": "keep"
        },
        "jitter": {
          "description": "Percent by which a pause may be shorter, at random, so that not everything is tried at the same moment.",
          "type": "integer",
          "minimum": 0,
          "maximum": 100,
          "default": 10,
          "x-reload": "keep"
        },
        "probe": {
          "description": "How often the gateway tries to connect to an endpoint that could not be connected to, beside its pauses, so that it is back as soon as it accepts connections; 0: only requests try it. Where active checks are configured, these do it.",
          "type": "string",
          "format": "duration",
          "default": "1s",
          "x-reload": "keep"
        }
      }
    },
    "identity": {
      "title": "IdentityConfig",
      "description": "What backends are told of a request: who asks, for which host and over what; and of whom that is believed. HTTP only.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "send": {
          "description": "The form in which backends are told: `forwarded` (RFC 7239), `x_forwarded` (X-Forwarded-For, -Host and -Proto), `both`, which then say the same, or `none`.",
          "enum": [
            "both",
            "forwarded",
            "x_forwarded",
            "none"
          ],
          "default": "both",
          "x-reload": "keep"
        },
        "believe": {
          "description": "The form that trusted proxies write. `either`: X-Forwarded-* where X-Forwarded-For is there, else Forwarded. A proxy that writes one form and lets its clients' other form through needs the name of its own form here.",
          "enum": [
            "either",
            "forwarded",
            "x_forwarded"
          ],
          "default": "either",
          "x-reload": "keep"
        },
        "port": {
          "description": "Send X-Forwarded-Port, the port of the URL that the client asked for.",
          "type": "boolean",
          "default": false,
          "x-reload": "keep"
        },
        "real_ip": {
          "description": "Send X-Real-IP, the address that ACLs judge.",
          "type": "boolean",
          "default": false,
          "x-reload": "keep"
        },
        "via": {
          "description": "Messages that get a Via: responses, requests, both or none. Via on a request turns off compression in many backends, nginx among them.",
          "enum": [
            "response",
            "request",
            "both",
            "none"
          ],
          "default": "response",
          "x-reload": "keep"
        },
        "untrusted": {
          "description": "Identity fields of peers that are not trusted proxies, such as X-Forwarded-Prefix and X-Real-IP: `drop` or `pass`. The fields that the gateway writes itself are replaced either way.",
          "enum": [
            "drop",
            "pass"
          ],
          "default": "drop",
          "x-reload": "keep"
        },
        "underscores": {
          "description": "Header fields with an underscore in their name, which many frameworks take for the field with a hyphen: `drop`, `pass`, or `refuse` with 400. Forms of a field that the gateway knows, such as `Content_Length` or `X_Forwarded_For`, never pass.",
          "enum": [
            "drop",
            "pass",
            "refuse"
          ],
          "default": "drop",
          "x-reload": "keep"
        }
      }
    },
    "invariant": {
      "title": "InvariantConfig",
      "description": "Something that must hold of every config that is to take effect. Checked by `prozy check`, and before a reload is applied.",
      "type": "object",
      "required": [
        "type"
      ],
      "discriminator": {
        "propertyName": "type"
      },
      "oneOf": [
        {
          "$ref": "#/$defs/route-exists-invariant"
        },
        {
          "$ref": "#/$defs/no-open-listener-invariant"
        },
        {
          "$ref": "#/$defs/min-endpoints-invariant"
        },
        {
          "$ref": "#/$defs/never-bound-invariant"
        },
        {
          "$ref": "#/$defs/header-never-passed-invariant"
        },
        {
          "$ref": "#/$defs/no-unreachable-route-invariant"
        }
      ]
    },
    "keepalive": {
      "title": "KeepaliveConfig",
      "description": "Connections to endpoints that are kept for the next request.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "connections": {
          "description": "Idle connections kept to each endpoint.",
          "type": "integer",
          "minimum": 0,
          "default": 256,
          "x-reload": "keep"
        },
        "idle": {
          "description": "How long an idle connection is kept; less where the endpoint says so with `Keep-Alive: timeout=N`. 0: no limit.",
          "type": "string",
          "format": "duration",
          "default": "60s",
          "x-reload": "keep"
        },
        "max_age": {
          "description": "How long a connection is used: when it is older and idle, it is closed. 0: no limit.",
          "type": "string",
          "format": "duration",
          "default": "1h",
          "x-reload": "keep"
        },
        "prewarm": {
          "description": "Connections made to each endpoint before there is a request for them, when the config takes effect and whenever fewer are left.",
          "type": "integer",
          "minimum": 0,
          "maximum": 256,
          "default": 0,
          "x-reload": "keep"
        }
      }
    },
    "listener-limits": {
      "title": "ListenerLimits",
      "description": "What clients may ask at most. 0 means no limit where it says so.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "connections": {
          "description": "Connections at a time; 0: no limit. Beyond it HTTP clients get a 503, TCP clients a reset.",
          "type": "integer",
          "minimum": 0,
          "default": 10000,
          "x-reload": "keep"
        },
        "connections_per_client": {
          "description": "Connections at a time from one address; 0: no limit. HTTP clients beyond it get a 429, TCP clients a reset.",
          "type": "integer",
          "minimum": 0,
          "default": 0,
          "x-reload": "keep"
        },
        "header_size": {
          "description": "Bytes of a whole request head; 431 beyond.",
          "type": "string",
          "format": "size",
          "default": "16KiB",
          "x-reload": "keep"
        },
        "header_count": {
          "description": "Fields in a request head; 431 beyond.",
          "type": "integer",
          "minimum": 1,
          "maximum": 10000,
          "default": 100,
          "x-reload": "keep"
        },
        "uri_size": {
          "description": "Bytes of a request target; 414 beyond.",
          "type": "string",
          "format": "size",
          "default": "8KiB",
          "x-reload": "keep"
        },
        "body_size": {
          "description": "Bytes of a request body; 0: no limit. 413 beyond.",
          "type": "string",
          "format": "size",
          "default": "0",
          "x-reload": "keep"
        }
      }
    },
    "listener-timeouts": {
      "title": "ListenerTimeouts",
      "description": "How long to wait for a client.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "header": {
          "description": "For a whole request head, from its first byte (or from the connection's start); then 408.",
          "type": "string",
          "format": "duration",
          "default": "10s",
          "x-reload": "keep",
          "x-above-zero": "a client that sends nothing would hold its connection for ever"
        },
        "body": {
          "description": "Between two parts of a request body; then 408. 0: no limit.",
          "type": "string",
          "format": "duration",
          "default": "60s",
          "x-reload": "keep"
        },
        "idle": {
          "description": "Between two requests on a connection; then it is closed. 0: no limit.",
          "type": "string",
          "format": "duration",
          "default": "75s",
          "x-reload": "keep"
        },
        "send": {
          "description": "Without the client taking a byte of what waits for it; then the connection is broken off. 0: no limit.",
          "type": "string",
          "format": "duration",
          "default": "60s",
          "x-reload": "keep"
        }
      }
    },
    "listener": {
      "title": "ListenerConfig",
      "description": "A place where clients connect.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "address": {
          "description": "`host:port`, `[ipv6]:port` or `unix:/path`. A listening socket is known by its address: a change of the listener's name keeps it. Port 0 takes any free port. The file of a Unix socket at which nobody listens any more is replaced.",
          "type": "string",
          "format": "listen-address",
          "examples": [
            "0.0.0.0:8080",
            "[::]:8080",
            "unix:/run/prozy.sock"
          ]
        },
        "enabled": {
          "description": "`false` switches the listener off without deleting it: its address is not opened, and its settings are still checked.",
          "type": "boolean",
          "default": true,
          "x-reload": "keep"
        },
        "protocol": {
          "description": "`http` takes requests by the routes; `tcp` joins each connection to a pool, byte for byte.",
          "enum": [
            "http",
            "tcp"
          ],
          "default": "http",
          "x-reload": "keep"
        },
        "pool": {
          "description": "The pool of a tcp listener.",
          "type": "string",
          "x-reload": "keep"
        },
        "trusted_proxies": {
          "description": "Networks of the proxies in front, whose Forwarded, X-Forwarded-* and other identity fields are believed. From all others these fields are replaced or dropped.",
          "type": "array",
          "items": {
            "type": "string",
            "format": "cidr"
          },
          "default": [],
          "x-reload": "keep"
        },
        "identity": {
          "$ref": "#/$defs/identity",
          "default": {}
        },
        "acl": {
          "description": "The ACL that clients must pass: 403 over HTTP, a reset over TCP.",
          "type": "string",
          "x-reload": "keep"
        },
        "limits": {
          "$ref": "#/$defs/listener-limits",
          "default": {}
        },
        "timeouts": {
          "$ref": "#/$defs/listener-timeouts",
          "default": {}
        },
        "paths": {
          "$ref": "#/$defs/paths",
          "default": {}
        },
        "drain": {
          "$ref": "#/$defs/drain-override"
        }
      },
      "required": [
        "address"
      ],
      "x-state": "the listening socket; connections go on"
    },
    "logging": {
      "title": "LoggingConfig",
      "description": "What is written about the gateway and its traffic.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "level": {
          "description": "The least important events that the application log (on stderr) shows.",
          "enum": [
            "debug",
            "info",
            "warn",
            "error"
          ],
          "default": "info"
        },
        "access": {
          "$ref": "#/$defs/access-log"
        }
      }
    },
    "match": {
      "title": "MatchConfig",
      "description": "The conditions that a request must all meet. Empty: every request.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "host": {
          "description": "The host asked for, without port, in any case: exact, or `*.example.com` for all names below. One or a list.",
          "type": "array",
          "minItems": 1,
          "items": {
            "type": "string",
            "format": "host-pattern"
          },
          "x-list": true,
          "examples": [
            "api.example.com",
            [
              "a.example.com",
              "*.example.org"
            ]
          ]
        },
        "path": {
          "$ref": "#/$defs/path-match"
        },
        "methods": {
          "description": "The methods, as sent.",
          "type": "array",
          "minItems": 1,
          "items": {
            "type": "string",
            "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
            "x-says": "must be a method such as GET"
          },
          "examples": [
            [
              "GET",
              "HEAD"
            ]
          ]
        },
        "headers": {
          "description": "Header fields by name, in any case.",
          "type": "object",
          "additionalProperties": {
            "$ref": "#/$defs/field-match"
          },
          "default": {},
          "examples": [
            {
              "x-tenant": "acme"
            }
          ]
        },
        "query": {
          "description": "Query parameters by name; the first of that name counts, decoded.",
          "type": "object",
          "additionalProperties": {
            "$ref": "#/$defs/field-match"
          },
          "default": {}
        }
      }
    },
    "mirror": {
      "title": "MirrorConfig",
      "description": "A copy of each request that is sent on goes to another pool too, with the field X-Prozy-Mirror: 1; what that answers is thrown away and changes nothing for the client. Requests of all methods are copied, also those that change something. A copy is sent once, within the timeouts of its pool. Offers to change protocols (upgrades) are not copied.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "pool": {
          "description": "The pool that gets the copies.",
          "type": "string"
        },
        "share": {
          "description": "How many of the requests are copied, in percent, drawn at random.",
          "type": "number",
          "minimum": 0,
          "maximum": 100,
          "default": 100
        },
        "concurrency": {
          "description": "Copies under way at a time, over all generations; what comes beyond that is dropped and counted.",
          "type": "integer",
          "minimum": 1,
          "default": 100
        },
        "body_size": {
          "description": "Bytes of the body that a copied request may have: the copy is sent when all of it has come. Requests with more are not copied, and counted.",
          "type": "string",
          "format": "size",
          "default": "64KiB"
        }
      },
      "required": [
        "pool"
      ]
    },
    "overload": {
      "title": "OverloadConfig",
      "description": "When the gateway itself has more to do than it can: new requests get a 503 with Retry-After, new tcp connections a reset, and /ready says so. What is under way goes on.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "loop_delay": {
          "description": "How late the event loop may be; 0: however late. It ends when it is less than half of that late.",
          "type": "string",
          "format": "duration",
          "default": "0s",
          "x-reload": "keep",
          "examples": [
            "250ms"
          ]
        },
        "memory": {
          "description": "Resident memory of the process; 0: however much. It ends at nine tenths of that.",
          "type": "string",
          "format": "size",
          "default": "0",
          "x-reload": "keep",
          "examples": [
            "1GiB"
          ]
        }
      }
    },
    "passive-health": {
      "title": "PassiveHealthConfig",
      "description": "What the traffic itself shows. A connection that cannot be made takes the endpoint out at once; other failures do when there are several in a row.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "failures": {
          "description": "Exchanges that fail one after the other before the endpoint is taken out: timeouts, resets, answers that are no HTTP, and what is listed below; 0: these never take it out.",
          "type": "integer",
          "minimum": 0,
          "default": 5,
          "x-reload": "keep"
        },
        "statuses": {
          "description": "Statuses that count as failures.",
          "type": "array",
          "items": {
            "type": "integer",
            "minimum": 100,
            "maximum": 999
          },
          "default": [
            502,
            503,
            504
          ],
          "x-reload": "keep"
        },
        "latency": {
          "description": "A response whose head takes longer than that counts as a failure; 0: however long it takes.",
          "type": "string",
          "format": "duration",
          "default": "0s",
          "x-reload": "keep"
        },
        "max_ejected": {
          "description": "Percent of a pool's endpoints that failed exchanges may take out at a time, so that a fault which they all share does not take out all of them. Connections that cannot be made and failed checks are not bounded by it.",
          "type": "integer",
          "minimum": 0,
          "maximum": 100,
          "default": 50,
          "x-reload": "keep"
        },
        "success_rate": {
          "$ref": "#/$defs/success-rate",
          "default": {}
        }
      }
    },
    "path-match": {
      "title": "PathMatch",
      "description": "A condition on the path, as a backend reads it that decodes it (see `paths` of the listener). A plain string is a prefix.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "exact": {
          "description": "Exactly this path.",
          "type": "string",
          "pattern": "^/",
          "x-says": "must begin with a slash"
        },
        "prefix": {
          "description": "This path and all below it, by whole segments: `/v1` takes `/v1` and `/v1/x`, not `/v10`.",
          "type": "string",
          "pattern": "^/",
          "x-says": "must begin with a slash"
        },
        "regex": {
          "description": "A regular expression that the path must contain; anchor it with ^ and $.",
          "type": "string",
          "format": "safe-regex"
        }
      },
      "x-short": "prefix",
      "x-exactly-one": [
        "exact",
        "prefix",
        "regex"
      ]
    },
    "paths": {
      "title": "PathsConfig",
      "description": "How the paths of requests are read. Rules judge a path as a backend reads it that decodes it; the `…_for_rules` values send it on as it came all the same. A dot segment that only some backends see (`/..%2Fadmin`, `/..;/admin`) is refused with 400 unless the setting for it is `keep`.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "encoded_slash": {
          "description": "What `%2F` and `%5C` are. `decode_for_rules`: a slash to rules, sent as they came. `decode`: a slash to backends too. `keep`: a character like any other. `refuse`: 400.",
          "enum": [
            "decode_for_rules",
            "decode",
            "keep",
            "refuse"
          ],
          "default": "decode_for_rules",
          "x-reload": "keep"
        },
        "repeated_slashes": {
          "description": "What `//` is. `merge_for_rules`: one slash to rules, sent as they came. `merge`: one slash to backends too. `keep`: an empty segment. `refuse`: 400.",
          "enum": [
            "merge_for_rules",
            "merge",
            "keep",
            "refuse"
          ],
          "default": "merge_for_rules",
          "x-reload": "keep"
        },
        "parameters": {
          "description": "What `;` and all that follows it in a segment are, as in `/a;v=1/b`. `remove_for_rules`: nothing to rules, sent as they came. `remove`: nothing to backends either. `keep`: characters like any others. `refuse`: 400.",
          "enum": [
            "remove_for_rules",
            "remove",
            "keep",
            "refuse"
          ],
          "default": "remove_for_rules",
          "x-reload": "keep"
        },
        "control_characters": {
          "description": "What becomes of encoded control characters, `%01` to `%1F` and `%7F`. `refuse`: 400. `keep`: they are sent as they came. `%00` is refused in any case.",
          "enum": [
            "refuse",
            "keep"
          ],
          "default": "refuse",
          "x-reload": "keep"
        },
        "raw_utf8": {
          "description": "What becomes of characters in a request target that are not ASCII and not percent-encoded. `refuse`: 400. `encode`: UTF-8 is percent-encoded, for rules and for backends; other bytes are refused.",
          "enum": [
            "refuse",
            "encode"
          ],
          "default": "refuse",
          "x-reload": "keep"
        },
        "send": {
          "description": "Which form of the path backends get. `normal`: dot segments are resolved and encoded letters, digits and `-._~` decoded. `received`: the path as it came, for backends that check signatures over it: nothing is then decoded, merged or removed but for rules, and what was not in normal form is not cached. A path that a policy rewrites is sent in normal form.",
          "enum": [
            "normal",
            "received"
          ],
          "default": "normal",
          "x-reload": "keep"
        }
      }
    },
    "policy": {
      "title": "PolicyConfig",
      "description": "A configured behaviour on the way of a request.",
      "type": "object",
      "required": [
        "type"
      ],
      "discriminator": {
        "propertyName": "type"
      },
      "oneOf": [
        {
          "$ref": "#/$defs/acl-policy"
        },
        {
          "$ref": "#/$defs/cache-policy"
        },
        {
          "$ref": "#/$defs/headers-policy"
        },
        {
          "$ref": "#/$defs/rewrite-policy"
        }
      ]
    },
    "pool-dns": {
      "title": "PoolDnsConfig",
      "description": "How the names of endpoints that are found by name (`dns`) are asked for. An answer that is empty, an error or none at all leaves what was known.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "servers": {
          "description": "The DNS servers, each an IP address with or without a port; absent: the system's.",
          "type": "array",
          "minItems": 1,
          "items": {
            "type": "string",
            "format": "dns-server"
          },
          "examples": [
            [
              "127.0.0.1:8600"
            ]
          ]
        },
        "timeout": {
          "description": "For all that has to be asked about a name.",
          "type": "string",
          "format": "duration",
          "default": "5s",
          "x-reload": "keep"
        },
        "min_ttl": {
          "description": "A name is not asked for again sooner, whatever the TTL of its records, and whatever fails.",
          "type": "string",
          "format": "duration",
          "default": "1s",
          "x-reload": "keep"
        },
        "max_ttl": {
          "description": "It is asked for again after that time at the latest.",
          "type": "string",
          "format": "duration",
          "default": "5m",
          "x-reload": "keep"
        },
        "jitter": {
          "description": "Percent by which the time between two questions may be longer, at random, so that not all gateways ask at the same moment.",
          "type": "integer",
          "minimum": 0,
          "maximum": 100,
          "default": 10,
          "x-reload": "keep"
        },
        "hold": {
          "description": "An address stays that long after the last answer that had it: for servers that answer with some of many addresses, each time others; 0: it goes with the first answer that lacks it.",
          "type": "string",
          "format": "duration",
          "default": "0s",
          "x-reload": "keep"
        }
      },
      "x-state": "what is known of the names"
    },
    "pool-health": {
      "title": "PoolHealthConfig",
      "description": "How it is known whether an endpoint is well.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "active": {
          "$ref": "#/$defs/active-check"
        },
        "passive": {
          "$ref": "#/$defs/passive-health",
          "default": {}
        },
        "backoff": {
          "$ref": "#/$defs/health-backoff",
          "default": {}
        },
        "panic": {
          "description": "Percent of endpoints: while fewer than that are well, requests go to all of them, since those that are left would break under the load; 0: never.",
          "type": "integer",
          "minimum": 0,
          "maximum": 100,
          "default": 0,
          "x-reload": "keep"
        },
        "slow_start": {
          "description": "An endpoint that is new or well again gets its share little by little for that long; 0: at once.",
          "type": "string",
          "format": "duration",
          "default": "0s",
          "x-reload": "keep"
        }
      }
    },
    "pool-hedge": {
      "title": "PoolHedgeConfig",
      "description": "A second attempt at another endpoint when the first is slow to answer; whichever answers first is passed on. Only for idempotent requests without a body, and within the budget of retries.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "delay": {
          "description": "How long the first attempt may take until the head of its response.",
          "type": "string",
          "format": "duration",
          "x-reload": "keep",
          "examples": [
            "50ms"
          ],
          "x-above-zero": "every request would be sent twice; for no hedging, leave `hedge` out"
        }
      },
      "required": [
        "delay"
      ]
    },
    "pool-limits": {
      "title": "PoolLimits",
      "description": "What backends may send at most. A response beyond it is a 502.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "header_size": {
          "description": "Bytes of a whole response head.",
          "type": "string",
          "format": "size",
          "default": "64KiB",
          "x-reload": "keep"
        },
        "header_count": {
          "description": "Fields in a response head.",
          "type": "integer",
          "minimum": 1,
          "maximum": 10000,
          "default": 256,
          "x-reload": "keep"
        }
      }
    },
    "pool-queue": {
      "title": "PoolQueueConfig",
      "description": "Requests and tcp connections that wait because every endpoint that is well has as many as it may have, or because none is well and others are trying them.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "depth": {
          "description": "How many may wait; beyond that, requests get a 503 with Retry-After. 0: nobody waits.",
          "type": "integer",
          "minimum": 0,
          "default": 100,
          "x-reload": "keep"
        },
        "wait": {
          "description": "How long one may wait; then it gets a 503 with Retry-After.",
          "type": "string",
          "format": "duration",
          "default": "5s",
          "x-reload": "keep",
          "x-above-zero": "for no waiting, give `depth: 0`"
        },
        "order": {
          "description": "Who is served first: the one that came first, or, while more than half of the depth is taken, the one that came last, whose client is most likely still there.",
          "enum": [
            "fifo",
            "adaptive_lifo"
          ],
          "default": "fifo",
          "x-reload": "keep"
        }
      }
    },
    "pool-retries": {
      "title": "PoolRetriesConfig",
      "description": "Further attempts for a request whose first attempt failed before anything of an answer was passed on. After the request, or a part of it, was sent, only an idempotent request (RFC 9110 §9.2.2) is sent again.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "attempts": {
          "description": "Further attempts, each at an endpoint that has not been tried as long as there is one.",
          "type": "integer",
          "minimum": 0,
          "maximum": 10,
          "default": 2,
          "x-reload": "keep"
        },
        "on": {
          "description": "The failures after which there is another attempt: no connection, a connection that broke before the answer, a timeout, an answer that is no HTTP. Absent: all but `timeout`, and that too where there is a per_try_timeout.",
          "type": "array",
          "items": {
            "enum": [
              "connect",
              "reset",
              "timeout",
              "bad_response"
            ]
          },
          "x-reload": "keep"
        },
        "statuses": {
          "description": "Statuses after which an idempotent request is tried elsewhere; the last answer is passed on. An endpoint that answered with Retry-After is not asked again for this request.",
          "type": "array",
          "items": {
            "type": "integer",
            "minimum": 100,
            "maximum": 999
          },
          "default": [],
          "x-reload": "keep",
          "examples": [
            [
              502,
              503
            ]
          ]
        },
        "per_try_timeout": {
          "description": "For the head of the response, in each attempt; then there is another attempt. 0: as first_byte says.",
          "type": "string",
          "format": "duration",
          "default": "0s",
          "x-reload": "keep"
        },
        "body_size": {
          "description": "Request bodies up to that size are kept until the answer begins, so that an idempotent request can be sent again; 0: none is.",
          "type": "string",
          "format": "size",
          "default": "64KiB",
          "x-reload": "keep"
        },
        "backoff": {
          "$ref": "#/$defs/retry-backoff",
          "default": {}
        },
        "budget": {
          "$ref": "#/$defs/retry-budget",
          "default": {}
        }
      }
    },
    "pool-timeouts": {
      "title": "PoolTimeouts",
      "description": "How long to wait for a backend.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "connect": {
          "description": "For a connection to be made; then another endpoint is tried, or the client gets a 504.",
          "type": "string",
          "format": "duration",
          "default": "5s",
          "x-reload": "keep",
          "x-above-zero": "an endpoint that does not answer would never be given up"
        },
        "first_byte": {
          "description": "From the request sent to the response's head; then the client gets a 504. 0: no limit.",
          "type": "string",
          "format": "duration",
          "default": "60s",
          "x-reload": "keep"
        },
        "idle": {
          "description": "Without a byte while a body is under way, in either direction: from a backend that is being read, or taken by one that is being sent to. 0: no limit.",
          "type": "string",
          "format": "duration",
          "default": "60s",
          "x-reload": "keep"
        },
        "stream": {
          "description": "Without a byte of a `text/event-stream`, in place of `idle`. 0: no limit.",
          "type": "string",
          "format": "duration",
          "default": "0s",
          "x-reload": "keep"
        },
        "tunnel": {
          "description": "Without a byte in either direction in a tunnel: an upgraded connection or a tcp listener's. 0: no limit.",
          "type": "string",
          "format": "duration",
          "default": "0s",
          "x-reload": "keep"
        },
        "total": {
          "description": "For a request with all its attempts and pauses, from its head to the last byte of the answer; then the client gets a 504, or its connection ends if the answer had begun. 0: no limit.",
          "type": "string",
          "format": "duration",
          "default": "0s",
          "x-reload": "keep"
        }
      }
    },
    "pool": {
      "title": "PoolConfig",
      "description": "A set of endpoints that can answer the same requests.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "renamed_from": {
          "description": "The name that this pool had in the config before: with it its endpoints keep what an operator has said of them (`prozy drain`, `disable`), their health, load and connections, and streams under way go on. It has no effect after that reload, and may be left out of the next edit.",
          "type": "string",
          "minLength": 1,
          "x-reload": "keep"
        },
        "strategy": {
          "$ref": "#/$defs/strategy",
          "default": {
            "type": "round_robin"
          }
        },
        "sticky": {
          "$ref": "#/$defs/sticky"
        },
        "endpoints": {
          "description": "The backends.",
          "type": "array",
          "minItems": 1,
          "items": {
            "$ref": "#/$defs/endpoint"
          }
        },
        "dns": {
          "$ref": "#/$defs/pool-dns",
          "default": {}
        },
        "timeouts": {
          "$ref": "#/$defs/pool-timeouts",
          "default": {}
        },
        "keepalive": {
          "$ref": "#/$defs/keepalive",
          "default": {}
        },
        "limits": {
          "$ref": "#/$defs/pool-limits",
          "default": {}
        },
        "lenient": {
          "description": "Faults in responses that are passed over instead of answered with a 502, one name for each. `bare_lf`: a line of the head ends in LF alone. `folded_lines`: a field goes on in the next line, which begins with white space. `space_before_colon`: white space between a field's name and its colon. `repeated_content_length`: several Content-Length that say the same. `space_after_chunk_size`: white space at the end of a chunk size's line. `status_above_599`: a status from 600 to 999; it counts as 5xx. The client gets the response in strict form.",
          "type": "array",
          "items": {
            "enum": [
              "bare_lf",
              "folded_lines",
              "space_before_colon",
              "repeated_content_length",
              "space_after_chunk_size",
              "status_above_599"
            ]
          },
          "uniqueItems": true,
          "default": [],
          "x-reload": "keep",
          "examples": [
            [
              "bare_lf"
            ]
          ]
        },
        "host": {
          "description": "The Host that endpoints get, in checks too: `preserve`, the client's (checks: the endpoint's); `endpoint`, the endpoint's DNS name or address as written, without port 80; or a host, with or without a port, that all of them get. The client's host is in X-Forwarded-Host and Forwarded. A host that is really called preserve or endpoint is written with a port.",
          "type": "string",
          "format": "backend-host",
          "default": "preserve",
          "x-reload": "keep",
          "examples": [
            "endpoint",
            "my-app.example.com"
          ]
        },
        "max_connections": {
          "description": "Connections to all endpoints together, idle ones included; 0: no limit. What finds no room waits in the queue.",
          "type": "integer",
          "minimum": 0,
          "default": 0,
          "x-reload": "keep"
        },
        "health": {
          "$ref": "#/$defs/pool-health",
          "default": {}
        },
        "retries": {
          "$ref": "#/$defs/pool-retries",
          "default": {}
        },
        "queue": {
          "$ref": "#/$defs/pool-queue",
          "default": {}
        },
        "fallback": {
          "$ref": "#/$defs/fallback",
          "x-reload": "keep"
        },
        "max_requests": {
          "description": "Requests and tunnels under way at all endpoints together; 0: no limit. What finds no room waits in the queue.",
          "type": "integer",
          "minimum": 0,
          "default": 0,
          "x-reload": "keep"
        },
        "hedge": {
          "$ref": "#/$defs/pool-hedge"
        }
      },
      "required": [
        "endpoints"
      ]
    },
    "redirect": {
      "title": "RedirectConfig",
      "description": "Sends the client elsewhere: the parts given replace those of the request's URL, the rest stays, the query too.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "status": {
          "description": "How final it is, and whether the method stays.",
          "enum": [
            301,
            302,
            303,
            307,
            308
          ],
          "default": 308
        },
        "scheme": {
          "description": "The scheme.",
          "enum": [
            "http",
            "https"
          ]
        },
        "host": {
          "description": "The host.",
          "type": "string",
          "format": "host"
        },
        "port": {
          "description": "The port.",
          "type": "integer",
          "minimum": 1,
          "maximum": 65535
        },
        "path": {
          "description": "The path.",
          "type": "string",
          "format": "path"
        }
      }
    },
    "reload": {
      "title": "ReloadConfig",
      "description": "How a changed file takes effect.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "watch": {
          "description": "Whether changed files take effect by themselves. false: only SIGHUP, `prozy reload` and a push have them read again.",
          "type": "boolean",
          "default": true,
          "x-reload": "keep"
        },
        "settle": {
          "description": "How long a file that is written in place, one of the config or one that it refers to, has to stay as it is before it is read: a half of it could be valid. A file that is replaced by a rename, and a link that is pointed elsewhere, are read at once. SIGHUP, `prozy reload` and a push do not wait.",
          "type": "string",
          "format": "duration",
          "default": "100ms",
          "x-reload": "keep"
        },
        "drain": {
          "$ref": "#/$defs/drain",
          "default": {}
        },
        "max_generations": {
          "description": "Generations that may live at a time, the current one included. At one more, what is left on the oldest is ended at once, with its protocol's goodbye and a warning in the log.",
          "type": "integer",
          "minimum": 2,
          "maximum": 1000,
          "default": 20,
          "x-reload": "keep"
        },
        "state_dir": {
          "description": "Directory, relative to the file, in which the configs that were in effect are kept: for `prozy history`, `prozy rollback`, and a start with a file that has problems. Made if it is not there. References are kept as they are written, never what they stand for. Absent: nothing is kept. `--state-dir` and PROZY_STATE_DIR count before it.",
          "type": "string",
          "minLength": 1,
          "x-reload": "keep"
        },
        "history": {
          "description": "How many configs that were in effect are kept in `state_dir`.",
          "type": "integer",
          "minimum": 1,
          "maximum": 1000,
          "default": 10,
          "x-reload": "keep"
        },
        "start_from_last_good": {
          "description": "Whether a start with a file that has problems may serve what was last in effect, as `state_dir` has it. The one that is kept says so of itself. `--no-last-good` forbids it in any case.",
          "type": "boolean",
          "default": true,
          "x-reload": "keep"
        },
        "tightened": {
          "description": "What becomes of exchanges and streams under way that the new config would refuse: by an ACL, or as the newest of more connections than a stricter limit of their listener allows. `drain`: they are drained as what is not there any more. `cut`: they are ended at once (WebSocket code 1008). `keep`: they go on for as long as they like.",
          "enum": [
            "keep",
            "drain",
            "cut"
          ],
          "default": "drain",
          "x-reload": "keep"
        }
      }
    },
    "respond": {
      "title": "RespondConfig",
      "description": "A fixed answer.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "status": {
          "description": "Its status.",
          "type": "integer",
          "minimum": 200,
          "maximum": 599,
          "default": 200
        },
        "headers": {
          "description": "Its header fields.",
          "type": "object",
          "additionalProperties": {
            "type": "string",
            "format": "field-value"
          },
          "propertyNames": {
            "format": "field-name"
          },
          "default": {}
        },
        "body": {
          "description": "Its content.",
          "type": "string",
          "default": ""
        }
      }
    },
    "retry-backoff": {
      "title": "RetryBackoffConfig",
      "description": "Pauses before the second and any later further attempt, at random between nothing and a bound that doubles. The first further attempt follows at once.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "first": {
          "description": "Bound of the first pause; 0: no pauses.",
          "type": "string",
          "format": "duration",
          "default": "25ms",
          "x-reload": "keep"
        },
        "max": {
          "description": "Largest bound.",
          "type": "string",
          "format": "duration",
          "default": "250ms",
          "x-reload": "keep",
          "x-above-zero": "for no pause, give `first: 0s`"
        }
      }
    },
    "retry-budget": {
      "title": "RetryBudgetConfig",
      "description": "How many attempts beyond their requests' first ones may be under way at a time, so that a pool in trouble is not drowned in them. One for which there is no room asks again a few times, after pauses as the backoff has them, and is then given up.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "share": {
          "description": "Percent of the pool's requests under way.",
          "type": "integer",
          "minimum": 0,
          "maximum": 100,
          "default": 50,
          "x-reload": "keep"
        },
        "min": {
          "description": "As many are always allowed.",
          "type": "integer",
          "minimum": 0,
          "default": 10,
          "x-reload": "keep"
        }
      }
    },
    "route-limits": {
      "title": "RouteLimitsConfig",
      "description": "What clients may ask of this route at most, over its listener's limits; it may be more. Absent: as there.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "body_size": {
          "description": "Bytes of a request body; 0: no limit. 413 beyond.",
          "type": "string",
          "format": "size",
          "x-reload": "keep"
        }
      }
    },
    "route-retries": {
      "title": "RouteRetriesConfig",
      "description": "Further attempts for requests of this route, over its pool's `retries`; backoff and budget are the pool's. Absent: as there.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "attempts": {
          "description": "Further attempts, each at an endpoint that has not been tried as long as there is one.",
          "type": "integer",
          "minimum": 0,
          "maximum": 10,
          "x-reload": "keep"
        },
        "on": {
          "description": "The failures after which there is another attempt: no connection, a connection that broke before the answer, a timeout, an answer that is no HTTP. Absent: as its pool says.",
          "type": "array",
          "items": {
            "enum": [
              "connect",
              "reset",
              "timeout",
              "bad_response"
            ]
          },
          "x-reload": "keep"
        },
        "statuses": {
          "description": "Statuses after which an idempotent request is tried elsewhere; the last answer is passed on. An endpoint that answered with Retry-After is not asked again for this request.",
          "type": "array",
          "items": {
            "type": "integer",
            "minimum": 100,
            "maximum": 999
          },
          "x-reload": "keep"
        },
        "per_try_timeout": {
          "description": "For the head of the response, in each attempt; then there is another attempt. 0: as first_byte says.",
          "type": "string",
          "format": "duration",
          "x-reload": "keep"
        },
        "body_size": {
          "description": "Request bodies up to that size are kept until the answer begins, so that an idempotent request can be sent again; 0: none is.",
          "type": "string",
          "format": "size",
          "x-reload": "keep"
        }
      }
    },
    "route-timeouts": {
      "title": "RouteTimeoutsConfig",
      "description": "How long to wait in exchanges of this route: `body` and `send` over its listener's, the others over its pool's. Absent: as there.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "body": {
          "description": "Between two parts of a request body; then 408. 0: no limit.",
          "type": "string",
          "format": "duration",
          "x-reload": "keep"
        },
        "send": {
          "description": "Without the client taking a byte of what waits for it; then the connection is broken off. 0: no limit.",
          "type": "string",
          "format": "duration",
          "x-reload": "keep"
        },
        "first_byte": {
          "description": "From the request sent to the response's head; then the client gets a 504. 0: no limit.",
          "type": "string",
          "format": "duration",
          "x-reload": "keep"
        },
        "idle": {
          "description": "Without a byte while a body is under way, in either direction: from a backend that is being read, or taken by one that is being sent to. 0: no limit.",
          "type": "string",
          "format": "duration",
          "x-reload": "keep"
        },
        "stream": {
          "description": "Without a byte of a `text/event-stream`, in place of `idle`. 0: no limit.",
          "type": "string",
          "format": "duration",
          "x-reload": "keep"
        },
        "tunnel": {
          "description": "Without a byte in either direction in a tunnel: an upgraded connection or a tcp listener's. 0: no limit.",
          "type": "string",
          "format": "duration",
          "x-reload": "keep"
        },
        "total": {
          "description": "For a request with all its attempts and pauses, from its head to the last byte of the answer; then the client gets a 504, or its connection ends if the answer had begun. 0: no limit.",
          "type": "string",
          "format": "duration",
          "x-reload": "keep"
        }
      }
    },
    "route": {
      "title": "RouteConfig",
      "description": "Which requests, and what is done with them. Exactly one of pool, split, respond and redirect.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "name": {
          "description": "Unique; seen in logs and metrics.",
          "type": "string",
          "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
          "x-says": "must be a name of letters, digits, _ . and -"
        },
        "enabled": {
          "description": "`false` switches the route off without deleting it: it takes no requests, and its settings are still checked.",
          "type": "boolean",
          "default": true
        },
        "listeners": {
          "description": "The http listeners that it serves. Absent: all of them.",
          "type": "array",
          "minItems": 1,
          "items": {
            "type": "string"
          }
        },
        "match": {
          "$ref": "#/$defs/match"
        },
        "policies": {
          "description": "What happens on the way, outermost first.",
          "type": "array",
          "items": {
            "$ref": "#/$defs/policy"
          },
          "default": []
        },
        "pool": {
          "description": "Send the request to this pool.",
          "type": "string"
        },
        "split": {
          "description": "Send each request to one of several pools, by their weights: at random, or as `split_by` says.",
          "type": "array",
          "minItems": 1,
          "items": {
            "$ref": "#/$defs/split-part"
          }
        },
        "split_by": {
          "$ref": "#/$defs/hash-key",
          "description": "Of a split: requests with the same key go to the same pool, and a change of the weights moves few keys. Absent: each request is drawn by itself."
        },
        "mirror": {
          "$ref": "#/$defs/mirror"
        },
        "map_back": {
          "description": "Location, Content-Location, Refresh and the Path and Domain of cookies get the names that clients know, where a response has those that the gateway has put in their place: a rewritten path, the Host of the pool, the endpoint's own address.",
          "type": "boolean",
          "default": true
        },
        "respond": {
          "$ref": "#/$defs/respond"
        },
        "redirect": {
          "$ref": "#/$defs/redirect"
        },
        "timeouts": {
          "$ref": "#/$defs/route-timeouts"
        },
        "limits": {
          "$ref": "#/$defs/route-limits"
        },
        "retries": {
          "$ref": "#/$defs/route-retries"
        },
        "drain": {
          "$ref": "#/$defs/drain-override"
        }
      },
      "required": [
        "name",
        "match"
      ],
      "x-exactly-one": [
        "pool",
        "split",
        "respond",
        "redirect"
      ]
    },
    "split-part": {
      "title": "SplitPartConfig",
      "description": "One pool of a split.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "pool": {
          "description": "Its name.",
          "type": "string"
        },
        "weight": {
          "description": "Its part of the requests, as weight ÷ sum of all weights; 0: none.",
          "type": "integer",
          "minimum": 0
        }
      },
      "required": [
        "pool",
        "weight"
      ]
    },
    "sticky": {
      "title": "StickyConfig",
      "description": "Keeps a client with the endpoint that it had first, by a cookie, while that endpoint is well; otherwise the strategy chooses anew. HTTP only. Endpoints of weight 0 keep the clients that they have.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "cookie": {
          "description": "The cookie's name. Pools with different endpoints that the same clients use on one host need different names.",
          "type": "string",
          "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
          "x-says": "must be a cookie name",
          "default": "prozy_endpoint",
          "x-reload": "keep"
        },
        "secret": {
          "description": "Signs the cookie (HMAC-SHA256 over the endpoint's address), so that nobody can guess one who was not given it. Every gateway that is to know the cookies of the others needs the same. Absent: the cookie is a plain hash of the endpoint's address, unsigned; whoever knows the address can choose it.",
          "type": "string",
          "minLength": 16,
          "x-secret": true,
          "examples": [
            "${file:secrets/sticky}"
          ],
          "x-reload": "keep"
        },
        "path": {
          "description": "The cookie's Path.",
          "type": "string",
          "pattern": "^/[\\x21-\\x3a\\x3c-\\x7e]*$",
          "x-says": "must be a path that begins with \"/\"",
          "default": "/",
          "x-reload": "keep"
        },
        "ttl": {
          "description": "The cookie's Max-Age, counted from when it was first given. Absent: it lasts for the browser's session.",
          "type": "string",
          "format": "duration",
          "examples": [
            "8h"
          ],
          "x-reload": "keep",
          "x-above-zero": "a browser would drop the cookie at once; leave it out for one that lasts for the session"
        },
        "secure": {
          "description": "Clients send it over TLS only.",
          "type": "boolean",
          "default": false,
          "x-reload": "keep"
        },
        "http_only": {
          "description": "Scripts in the page can't see it.",
          "type": "boolean",
          "default": true,
          "x-reload": "keep"
        },
        "same_site": {
          "description": "Whether requests that other sites cause carry it: `lax` when they lead there, `strict` never, `none` always (needs `secure`).",
          "enum": [
            "lax",
            "strict",
            "none"
          ],
          "default": "lax",
          "x-reload": "keep"
        }
      }
    },
    "strategy": {
      "title": "StrategyConfig",
      "description": "How an endpoint is chosen among those that are well. A plain string is its type.",
      "type": "object",
      "required": [
        "type"
      ],
      "discriminator": {
        "propertyName": "type"
      },
      "x-short": "type",
      "oneOf": [
        {
          "$ref": "#/$defs/round-robin-strategy"
        },
        {
          "$ref": "#/$defs/weighted-round-robin-strategy"
        },
        {
          "$ref": "#/$defs/least-connections-strategy"
        },
        {
          "$ref": "#/$defs/random-strategy"
        },
        {
          "$ref": "#/$defs/ip-hash-strategy"
        },
        {
          "$ref": "#/$defs/p2c-strategy"
        },
        {
          "$ref": "#/$defs/ring-hash-strategy"
        },
        {
          "$ref": "#/$defs/maglev-strategy"
        }
      ]
    },
    "success-rate": {
      "title": "SuccessRateConfig",
      "description": "Takes out endpoints of which clearly fewer exchanges succeed than of the others, though they never fail often enough in a row.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "deviations": {
          "description": "Standard deviations of the endpoints' success rates by which one must be below their mean; 0: none is taken out for its rate.",
          "type": "number",
          "minimum": 0,
          "default": 1.5,
          "x-reload": "keep"
        },
        "margin": {
          "description": "Points of a hundred by which it must be below the mean in any case, however alike the others are. Besides, it must be further below than chance explains.",
          "type": "integer",
          "minimum": 1,
          "maximum": 100,
          "default": 5,
          "x-reload": "keep"
        },
        "interval": {
          "description": "How long is counted before rates are compared.",
          "type": "string",
          "format": "duration",
          "default": "10s",
          "x-reload": "keep",
          "x-above-zero": "rates would be compared without a pause"
        },
        "min_endpoints": {
          "description": "Endpoints with enough requests that there must be to compare.",
          "type": "integer",
          "minimum": 3,
          "default": 5,
          "x-reload": "keep"
        },
        "min_requests": {
          "description": "Exchanges of an endpoint within the interval without which its rate says nothing.",
          "type": "integer",
          "minimum": 1,
          "default": 100,
          "x-reload": "keep"
        }
      }
    },
    "test-expectation": {
      "title": "TestExpectation",
      "description": "What must become of the request. Everything that is said here must hold; at least one thing must be said.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "listener": {
          "description": "The listener that it comes to.",
          "type": "string"
        },
        "route": {
          "description": "The route that takes it.",
          "type": "string"
        },
        "allowed": {
          "description": "Whether it passes the listener's ACL and every policy of its route.",
          "type": "boolean"
        },
        "denied_by": {
          "description": "What refuses it: `listener` for the listener's ACL, else the type of a policy.",
          "type": "string",
          "examples": [
            "listener",
            "acl"
          ]
        },
        "status": {
          "description": "Status of an answer that the gateway gives itself: a fixed one, a redirect, a refusal, a 404.",
          "type": "integer",
          "minimum": 200,
          "maximum": 599
        },
        "location": {
          "description": "Where a redirect sends it, whole.",
          "type": "string"
        },
        "pool": {
          "description": "The pool that it is sent to. Of a split that draws, every pool that may be drawn must be among these.",
          "type": "array",
          "minItems": 1,
          "items": {
            "type": "string"
          },
          "x-list": true,
          "examples": [
            "app",
            [
              "app",
              "canary"
            ]
          ]
        },
        "endpoint": {
          "description": "The endpoint that it is sent to while all are well: every one that may be chosen must be among these.",
          "type": "array",
          "minItems": 1,
          "items": {
            "type": "string"
          },
          "x-list": true,
          "examples": [
            "10.0.0.1:3000"
          ]
        },
        "path": {
          "description": "Path and query that it is sent on with.",
          "type": "string"
        },
        "request_headers": {
          "description": "Header fields that it is sent on with, by name.",
          "type": "object",
          "additionalProperties": {
            "$ref": "#/$defs/field-match"
          },
          "propertyNames": {
            "format": "field-name"
          },
          "default": {}
        }
      }
    },
    "test-request": {
      "title": "TestRequest",
      "description": "A request as a client would send it. None is sent.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "method": {
          "description": "The method.",
          "type": "string",
          "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
          "x-says": "must be a method such as GET",
          "default": "GET"
        },
        "url": {
          "description": "Absolute. Its host, with the port if it has one, is the Host field; path and query are sent as they are written, a name that is not ASCII in its `xn--` form.",
          "type": "string",
          "pattern": "^[hH][tT][tT][pP][sS]?://[^/?#]",
          "x-says": "must be an absolute URL: http://host/path",
          "examples": [
            "http://api.example.com/v1/x"
          ]
        },
        "client": {
          "description": "Address that the connection comes from. The default is nobody's, so that no rule for somebody holds by chance.",
          "type": "string",
          "format": "ip-address",
          "default": "192.0.2.1"
        },
        "headers": {
          "description": "Header fields by name; a list sends the field several times. A `host` here replaces that of the URL.",
          "type": "object",
          "additionalProperties": {
            "type": "array",
            "items": {
              "type": "string",
              "format": "field-value"
            },
            "x-list": true
          },
          "propertyNames": {
            "format": "field-name"
          },
          "default": {}
        },
        "listener": {
          "description": "The http listener that it comes to. Absent: the one on the URL's port, else the only one.",
          "type": "string"
        }
      },
      "required": [
        "url"
      ]
    },
    "acl-policy": {
      "title": "AclPolicyConfig",
      "description": "Refuses clients that an ACL does not allow: 403.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "Which policy this is.",
          "const": "acl"
        },
        "enabled": {
          "description": "`false` switches the policy off without deleting it: requests pass as if it were not there, and its settings are still checked.",
          "type": "boolean",
          "default": true
        },
        "acl": {
          "description": "The ACL's name.",
          "type": "string"
        }
      },
      "required": [
        "type",
        "acl"
      ]
    },
    "cache-policy": {
      "title": "CachePolicyConfig",
      "description": "Answers from stored responses, and stores what may be stored, as a shared cache after RFC 9111. Policies before it see every request, those behind it what is sent on.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "Which policy this is.",
          "const": "cache"
        },
        "enabled": {
          "description": "`false` switches the policy off without deleting it: requests pass as if it were not there, and its settings are still checked.",
          "type": "boolean",
          "default": true
        },
        "cache": {
          "description": "Name of the cache that responses are kept in.",
          "type": "string"
        },
        "default_ttl": {
          "description": "How long a response is fresh that says nothing about it, neither outright nor by its Last-Modified. Absent: not at all.",
          "type": "string",
          "format": "duration"
        },
        "min_ttl": {
          "description": "The least time that a response which may be stored is fresh, whatever it says.",
          "type": "string",
          "format": "duration",
          "default": "0s"
        },
        "max_ttl": {
          "description": "The longest time that a response is fresh, whatever it says. Absent: no limit.",
          "type": "string",
          "format": "duration",
          "x-above-zero": "leave it out for no limit"
        },
        "stale_while_revalidate": {
          "description": "How long a response that has gone stale is still given while it is asked for anew, if it does not say so itself (RFC 5861 §3). Only for responses that were fresh for some time.",
          "type": "string",
          "format": "duration",
          "default": "0s"
        },
        "stale_if_error": {
          "description": "How long a response that has gone stale is given in place of an error, if it does not say so itself (RFC 5861 §4). Only for responses that were fresh for some time.",
          "type": "string",
          "format": "duration",
          "default": "0s"
        },
        "stale_if_unreachable": {
          "description": "How long a response that has gone stale is given when the origin cannot be reached, unless it forbids that (RFC 9111 §4.2.4). Only for responses that were fresh for some time: by their own word, their Last-Modified, `default_ttl` or `min_ttl`.",
          "type": "string",
          "format": "duration",
          "default": "1h"
        },
        "request_directives": {
          "description": "Whether clients may ask for fresher responses than the origin wants (Cache-Control and Pragma of requests). `ignore` keeps clients from sending every request on.",
          "enum": [
            "obey",
            "ignore"
          ],
          "default": "obey"
        },
        "set_cookie": {
          "description": "Whether responses with a Set-Cookie are stored: none, or those that say how long they are fresh (or `public`), whose cookie every client then gets.",
          "enum": [
            "never",
            "explicit"
          ],
          "default": "never"
        },
        "unauthorized": {
          "description": "Whether 401 responses are stored: none, or those that say how long they are fresh.",
          "enum": [
            "never",
            "explicit"
          ],
          "default": "never"
        },
        "authorization": {
          "description": "Which stored responses answer requests with an Authorization field: those that say that such requests may share them (`public`, `must-revalidate` or `s-maxage`), or any.",
          "enum": [
            "explicit",
            "any"
          ],
          "default": "explicit"
        },
        "bypass": {
          "description": "Requests that meet any of these conditions are neither answered from the cache nor stored.",
          "type": "array",
          "items": {
            "$ref": "#/$defs/cache-condition"
          },
          "default": [],
          "examples": [
            [
              {
                "cookie": "session"
              },
              {
                "header": "x-preview"
              }
            ]
          ]
        },
        "no_store": {
          "description": "Requests that meet any of these conditions may be answered from the cache; what the origin answers them is not stored.",
          "type": "array",
          "items": {
            "$ref": "#/$defs/cache-condition"
          },
          "default": []
        },
        "collapse_wait": {
          "description": "How long a request waits for the response to another one for the same thing before it is sent on itself. 0: not at all.",
          "type": "string",
          "format": "duration",
          "default": "5s"
        },
        "finish": {
          "description": "Bytes of a response's body that may still be missing for it to be fetched to its end when all who asked for it are gone.",
          "type": "string",
          "format": "size",
          "default": "1MiB"
        },
        "status_header": {
          "description": "Whether answers say in a Cache-Status field what the cache did (RFC 9211).",
          "type": "boolean",
          "default": true
        }
      },
      "required": [
        "type",
        "cache"
      ]
    },
    "headers-policy": {
      "title": "HeadersPolicyConfig",
      "description": "Changes header fields on the way.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "Which policy this is.",
          "const": "headers"
        },
        "enabled": {
          "description": "`false` switches the policy off without deleting it: requests pass as if it were not there, and its settings are still checked.",
          "type": "boolean",
          "default": true
        },
        "request": {
          "$ref": "#/$defs/field-edits",
          "default": {}
        },
        "response": {
          "$ref": "#/$defs/field-edits",
          "default": {}
        }
      },
      "required": [
        "type"
      ]
    },
    "rewrite-policy": {
      "title": "RewritePolicyConfig",
      "description": "Puts another prefix in place of the path's.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "Which policy this is.",
          "const": "rewrite"
        },
        "enabled": {
          "description": "`false` switches the policy off without deleting it: requests pass as if it were not there, and its settings are still checked.",
          "type": "boolean",
          "default": true
        },
        "prefix": {
          "description": "The prefix to replace, by whole segments.",
          "type": "string",
          "format": "path"
        },
        "replacement": {
          "description": "What takes its place.",
          "type": "string",
          "format": "path",
          "default": "/"
        }
      },
      "required": [
        "type",
        "prefix"
      ]
    },
    "ip-hash-strategy": {
      "title": "IpHashConfig",
      "description": "The same endpoint for the same client address. When one goes, only its own clients move, and they spread over the others.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "Which strategy this is.",
          "const": "ip_hash"
        }
      },
      "required": [
        "type"
      ]
    },
    "least-connections-strategy": {
      "title": "LeastConnectionsConfig",
      "description": "The endpoint with the fewest requests and tunnels under way for its weight; among equals each in turn.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "Which strategy this is.",
          "const": "least_connections"
        }
      },
      "required": [
        "type"
      ]
    },
    "maglev-strategy": {
      "title": "MaglevConfig",
      "description": "The same endpoint for the same key, by a Maglev table: keys are spread more evenly than by a hash ring, and a few more of them move when endpoints are added or removed.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "Which strategy this is.",
          "const": "maglev"
        },
        "key": {
          "$ref": "#/$defs/hash-key",
          "default": {
            "source": "client"
          }
        },
        "table_size": {
          "description": "Places in the table, a prime number; at least 100 for each endpoint spread the keys within 1 percent.",
          "type": "integer",
          "minimum": 2,
          "maximum": 655373,
          "default": 65537,
          "x-reload": "keep"
        }
      },
      "required": [
        "type"
      ]
    },
    "p2c-strategy": {
      "title": "P2cConfig",
      "description": "Of two endpoints drawn by weight, the one with less to wait for: requests under way times average time to the response's head, for its weight.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "Which strategy this is.",
          "const": "p2c"
        }
      },
      "required": [
        "type"
      ]
    },
    "random-strategy": {
      "title": "RandomConfig",
      "description": "Any endpoint, as likely as its weight says.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "Which strategy this is.",
          "const": "random"
        }
      },
      "required": [
        "type"
      ]
    },
    "ring-hash-strategy": {
      "title": "RingHashConfig",
      "description": "The same endpoint for the same key, by a hash ring: when endpoints come or go, no more keys move than must.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "Which strategy this is.",
          "const": "ring_hash"
        },
        "key": {
          "$ref": "#/$defs/hash-key",
          "default": {
            "source": "client"
          }
        },
        "replicas": {
          "description": "Points on the ring for an endpoint of average weight. More: the keys are spread more evenly, and it takes more memory; with 512 nobody has more than about 15 percent too many or too few.",
          "type": "integer",
          "minimum": 1,
          "maximum": 4096,
          "default": 512,
          "x-reload": "keep"
        }
      },
      "required": [
        "type"
      ]
    },
    "round-robin-strategy": {
      "title": "RoundRobinConfig",
      "description": "Each endpoint in turn, whatever its weight, if it is not 0.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "Which strategy this is.",
          "const": "round_robin"
        }
      },
      "required": [
        "type"
      ]
    },
    "weighted-round-robin-strategy": {
      "title": "WeightedRoundRobinConfig",
      "description": "Each endpoint in turn as often as its weight says, spread evenly: 5, 1, 1 gives a a b a c a a.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "Which strategy this is.",
          "const": "weighted_round_robin"
        }
      },
      "required": [
        "type"
      ]
    },
    "header-never-passed-invariant": {
      "title": "HeaderNeverPassedInvariant",
      "description": "No route may pass a header field of the request on to a pool: its policies must remove it, or set it to a value of their own.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "Which invariant this is.",
          "const": "header_never_passed"
        },
        "header": {
          "description": "The field's name.",
          "type": "string",
          "format": "field-name",
          "examples": [
            "x-internal-user"
          ]
        },
        "pools": {
          "description": "Only to these pools. Absent: to any.",
          "type": "array",
          "minItems": 1,
          "items": {
            "type": "string"
          },
          "x-list": true
        }
      },
      "required": [
        "type",
        "header"
      ]
    },
    "min-endpoints-invariant": {
      "title": "MinEndpointsInvariant",
      "description": "A pool must have so many endpoints of weight above 0.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "Which invariant this is.",
          "const": "min_endpoints"
        },
        "pool": {
          "description": "Its name. Absent: every pool.",
          "type": "string"
        },
        "endpoints": {
          "description": "How many at least.",
          "type": "integer",
          "minimum": 1
        }
      },
      "required": [
        "type",
        "endpoints"
      ]
    },
    "never-bound-invariant": {
      "title": "NeverBoundInvariant",
      "description": "No listener, the admin listener included, may be bound there. Exactly one of address, port and wildcard.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "Which invariant this is.",
          "const": "never_bound"
        },
        "address": {
          "description": "`host:port`, `[ipv6]:port` or `unix:/path`. A listener on all addresses of that port is bound there too.",
          "type": "string",
          "format": "address"
        },
        "port": {
          "description": "This port, on whatever address.",
          "type": "integer",
          "minimum": 1,
          "maximum": 65535
        },
        "wildcard": {
          "description": "All addresses of the machine at once, as `0.0.0.0` and `[::]` are.",
          "const": true
        }
      },
      "required": [
        "type"
      ],
      "x-exactly-one": [
        "address",
        "port",
        "wildcard"
      ]
    },
    "no-open-listener-invariant": {
      "title": "NoOpenListenerInvariant",
      "description": "No listener may be open to the world: one that is not bound to loopback or a Unix socket needs an ACL that keeps strangers out, or every route that it serves needs a policy that does. The admin listener, which has no such thing, must be on loopback.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "Which invariant this is.",
          "const": "no_open_listener"
        },
        "except": {
          "description": "Listeners that may be.",
          "type": "array",
          "items": {
            "type": "string"
          },
          "default": [],
          "examples": [
            [
              "web"
            ]
          ]
        }
      },
      "required": [
        "type"
      ]
    },
    "no-unreachable-route-invariant": {
      "title": "NoUnreachableRouteInvariant",
      "description": "No route may stand behind one that takes all its requests. Without this invariant such a route is a warning.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "Which invariant this is.",
          "const": "no_unreachable_route"
        },
        "except": {
          "description": "Routes that may.",
          "type": "array",
          "items": {
            "type": "string"
          },
          "default": [],
          "examples": [
            [
              "old-home"
            ]
          ]
        }
      },
      "required": [
        "type"
      ]
    },
    "route-exists-invariant": {
      "title": "RouteExistsInvariant",
      "description": "A route must be there, and lead where it should.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "Which invariant this is.",
          "const": "route_exists"
        },
        "route": {
          "description": "Its name.",
          "type": "string"
        },
        "pool": {
          "description": "The pools that it may lead to: each that it sends to must be among these.",
          "type": "array",
          "minItems": 1,
          "items": {
            "type": "string"
          },
          "x-list": true,
          "examples": [
            "app",
            [
              "app",
              "canary"
            ]
          ]
        },
        "policies": {
          "description": "Types of policies that it must have.",
          "type": "array",
          "minItems": 1,
          "items": {
            "type": "string"
          },
          "x-list": true,
          "examples": [
            "acl"
          ]
        }
      },
      "required": [
        "type",
        "route"
      ]
    }
  }
};
