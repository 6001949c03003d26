/* Generated from schemas/ by `npm run generate`: edit the schemas, not this file. */

/** Writes one JSON line for each exchange and each tunnel. Absent: no access log. */
export interface AccessLogConfig {
  /** `stdout`, `stderr`, or a file to append to, relative to the config file that names it. The gateway reopens the file on SIGHUP and SIGUSR1. */
  readonly path: string;
}

/** An access control list of client addresses, and of client certificates. The gateway checks the deny list first, then the allow list if it is not empty, then the default. */
export interface AclConfig {
  /** The action for an address on neither list, if the allow list is empty. */
  readonly default: 'allow' | 'deny';
  /** Allowed networks or addresses. If the list is not empty, all other addresses are denied. */
  readonly allow: readonly string[];
  /** Denied networks or addresses. */
  readonly deny: readonly string[];
  /** Client certificates. If the list is not empty, clients that the other settings allow need a certificate that meets one of these conditions, too. */
  readonly certificates: readonly CertificateMatch[];
}

/** How the TXT records of `dns-01` challenges are made and removed. */
export interface AcmeDnsConfig {
  /** A program and its first arguments; no shell reads them. The gateway adds `present` or `cleanup`, the name of the record with a dot at its end, and its value. Exit code 0 is success. */
  readonly exec?: readonly string[];
  /** An HTTP endpoint that makes and removes records. It gets `POST <url>/present` or `POST <url>/cleanup` with `{"fqdn": "_acme-challenge.example.com.", "value": "…"}`. */
  readonly webhook?: AcmeWebhookConfig;
  /** Dynamic updates (RFC 2136) of a zone's primary name server, over TCP. */
  readonly update?: AcmeUpdateConfig;
  /** How long the gateway waits after a record was made before the authority looks for it: as long as the name servers of the zone take to agree. */
  readonly wait: number;
  /** Time limit for one call of the program or the webhook. */
  readonly timeout: number;
}

/** Binds the account to one that you have at the authority (RFC 8555, section 7.3.4). */
export interface AcmeEabConfig {
  /** The key identifier that the authority gave you. */
  readonly kid: string;
  /** The key that it gave you, in base64url. */
  readonly hmac_key: string;
}

/** Dynamic updates (RFC 2136) of a zone's primary name server, over TCP. */
export interface AcmeUpdateConfig {
  /** The primary server of the zone: `host:port`. */
  readonly server: string;
  /** The zone. Absent: the closest name above the record for which the server has an SOA record. */
  readonly zone?: string;
  /** The key that signs updates (TSIG, RFC 8945). The server's answers must be signed with it. */
  readonly key?: TsigKeyConfig;
}

/** An HTTP endpoint that makes and removes records. It gets `POST <url>/present` or `POST <url>/cleanup` with `{"fqdn": "_acme-challenge.example.com.", "value": "…"}`. */
export interface AcmeWebhookConfig {
  /** Its URL. */
  readonly url: string;
  /** The value of the Authorization field. */
  readonly authorization?: string;
}

/** An authority that issues certificates by ACME (RFC 8555). Its use means that you agree to its terms of service. The keys of the account and of the certificates are in the state directory: see `state_dir` in `reload`. */
export interface AcmeConfig {
  /** The URL of the authority's directory. */
  readonly directory: string;
  /** Certificates of the authority's own server to trust besides those of the system: a file, relative to this one, or the PEM text itself, by a reference. */
  readonly ca?: string;
  /** Where the authority can reach the operator. */
  readonly email?: string;
  /** Binds the account to one that you have at the authority (RFC 8555, section 7.3.4). */
  readonly eab?: AcmeEabConfig;
  /** The profile of the certificates, where the authority has several, such as `shortlived` of Let's Encrypt. Absent: the authority's own choice. */
  readonly profile?: string;
  /** The common name of the root that the chain should end at, where the authority offers several chains. */
  readonly preferred_chain?: string;
  /** The type of the certificates' keys. */
  readonly key_type: 'p256' | 'p384' | 'rsa2048' | 'rsa4096';
  /** The challenges that may prove control of a name, most wanted first; after a failure, the next one is tried. `http-01` needs an http listener that the authority reaches at port 80, `tls-alpn-01` a listener with `tls` at port 443, `dns-01` the setting `dns`. A wildcard name needs `dns-01`. Absent: `dns-01` if `dns` is set, else `http-01` and `tls-alpn-01`. */
  readonly challenges?: readonly ('http-01' | 'tls-alpn-01' | 'dns-01')[];
  /** How the TXT records of `dns-01` challenges are made and removed. */
  readonly dns?: AcmeDnsConfig;
}

/** Active health checks: the gateway checks each endpoint at a regular interval, in addition to passive health. */
export interface ActiveCheckConfig {
  /** `http`: the check sends a request and expects the configured response. `tcp`: the check opens a connection. */
  readonly type: 'http' | 'tcp';
  /** The path and query of the request. */
  readonly path: string;
  /** The Host of the request. Absent: the pool's `host`, or else the endpoint's own name or address. */
  readonly host?: string;
  /** The method of the request. */
  readonly method: 'GET' | 'HEAD';
  /** The expected statuses, single ones or ranges. */
  readonly status: readonly string[];
  /** A text that the first 64 KiB of the response body must contain. Absent: any body passes. */
  readonly body?: string;
  /** A separate port for the checks. Absent: the endpoint's port. */
  readonly port?: number;
  /** Time from the end of one check to the start of the next. */
  readonly interval: number;
  /** The most that an interval is shortened, in percent, at random, so that the checks do not all run at the same moment. */
  readonly jitter: number;
  /** Maximum time for one whole check. */
  readonly timeout: number;
  /** Successful checks in a row before an ejected endpoint is healthy again. */
  readonly healthy: number;
  /** Failed checks in a row before the endpoint is ejected. */
  readonly unhealthy: number;
}

/** Lets clients with the token read and write the config over the admin listener (`GET /config`, `PUT /config`). The gateway writes a pushed config to the config file, so that the file and the config in effect stay the same. It refuses the push if it cannot write the file. A client that may push a config can read every file that the gateway can read, and send traffic anywhere. Absent: no pushes. */
export interface AdminPush {
  /** The token that clients send as `Authorization: Bearer TOKEN` (RFC 6750). It must be a reference, because clients with the token can read the config. */
  readonly token: string;
  /** Maximum size of a pushed config. The gateway refuses a larger one. */
  readonly max_size: number;
  /** Whether a pushed config may have `module` policies. `false`: the gateway refuses such a config and does not load the modules that it names. The config in effect decides, not the pushed one. */
  readonly modules: boolean;
}

/** A separate listener for operators: health, metrics and the state of the gateway. Reading needs no authentication, so keep it on loopback or a private network. Actions (drain, purge, reload, rollback, …) need the `token`. Without a token the gateway accepts actions from the same machine only. Absent: no admin listener. */
export interface AdminConfig {
  /** The address to listen on. */
  readonly address: string;
  /** Host names accepted in requests, exact or `*.example.com`. The gateway always accepts IP addresses, names without a dot, and names below `localhost`, `local` and `internal`. Requests for other hosts get a 421, because a page of any site could send them through its visitor's browser (DNS rebinding). `/health` and `/ready` accept any host. */
  readonly hosts: readonly string[];
  /** The token that actions must send as `Authorization: Bearer TOKEN` (RFC 6750). It must be a reference. Absent: the token of `push`, if there is one. */
  readonly token?: string;
  /** Lets clients with the token read and write the config over the admin listener (`GET /config`, `PUT /config`). The gateway writes a pushed config to the config file, so that the file and the config in effect stay the same. It refuses the push if it cannot write the file. A client that may push a config can read every file that the gateway can read, and send traffic anywhere. Absent: no pushes. */
  readonly push?: AdminPush;
}

/** A condition on a request: it has the given header field, cookie or query parameter. */
export interface CacheConditionConfig {
  /** The name of a header field. */
  readonly header?: string;
  /** The name of a cookie. */
  readonly cookie?: string;
  /** The name of a query parameter. */
  readonly query?: string;
  /** The required value. Absent: any value. */
  readonly value?: string;
}

/** A directory that also stores the responses of a cache. It can hold many more than memory does. The responses survive a restart, and also a crash. */
export interface CacheDiskConfig {
  /** The directory. No other cache may use it. The gateway creates it if it does not exist. A relative path starts at the directory of the file that contains it. */
  readonly path: string;
  /** Maximum size in bytes of all files in the directory. The gateway evicts the oldest responses first, except those that were requested again. */
  readonly max_size: number;
}

/** The parts of a request that identify a stored response, in addition to scheme, host, path and the fields that the response's Vary names. */
export interface CacheKeyConfig {
  /** The query parameters that are part of the key. Absent: all of them. Empty: none. */
  readonly query?: readonly string[];
  /** Query parameters that are not part of the key. */
  readonly ignore_query: readonly string[];
  /** Whether to ignore the order of the query parameters. */
  readonly sort_query: boolean;
  /** Request header fields whose values are part of the key. */
  readonly headers: readonly string[];
  /** Cookies whose values are part of the key. */
  readonly cookies: readonly string[];
}

/** A store of responses for the cache policy. Several routes may share one. Each route finds only the responses that were stored for it. */
export interface CacheConfig {
  /** Maximum memory in bytes for the responses, including heads, keys and bookkeeping. The gateway evicts the least recently used responses first. */
  readonly max_size: number;
  /** Maximum size in bytes of a stored body. The gateway streams larger bodies to the client without storing them. */
  readonly max_entry_size: number;
  /** The parts of a request that identify a stored response, in addition to scheme, host, path and the fields that the response's Vary names. */
  readonly key: CacheKeyConfig;
  /** A directory that also stores the responses of a cache. It can hold many more than memory does. The responses survive a restart, and also a crash. */
  readonly disk?: CacheDiskConfig;
}

/** Conditions on a client's certificate. All of them must hold. */
export interface CertificateMatch {
  /** A URI of its subjectAltName, such as a SPIFFE ID. A star at the end stands for any text. */
  readonly uri?: string;
  /** A DNS name of its subjectAltName: exact, or `*.example.com` for all names below. */
  readonly dns?: string;
  /** An email address of its subjectAltName. */
  readonly email?: string;
  /** The whole subject in the form of RFC 4514, the most specific name first, without spaces around the commas. */
  readonly subject?: string;
  /** The whole name of its issuer, in the same form. */
  readonly issuer?: string;
  /** The SHA-256 digest of the certificate in hex, with or without colons. */
  readonly fingerprint?: string;
}

/** A certificate with its private key: from files in PEM (`cert` and `key`), from an authority by ACME (`acme`), or from the gateway's own authority (`issuer: internal`); or a folder of such files (`dir`). A changed file, and a renewed certificate, takes effect with the next handshake; no connection is touched. */
export interface CertificateConfig {
  /** The file of the certificate, followed by the intermediate certificates of its issuer. The value may be the PEM text itself, by a reference. */
  readonly cert?: string;
  /** The file of the private key, without a passphrase. The value may be the PEM text itself, by a reference. */
  readonly key?: string;
  /** Instead of `cert` and `key`: a folder with any number of pairs, as certbot (`NAME/fullchain.pem`, `NAME/privkey.pem`), Kubernetes (`NAME/tls.crt`, `NAME/tls.key`) and others (`NAME.crt` or `NAME.pem` with `NAME.key`, or `NAME.pem` with both) write them. Each pair is a certificate `FOLDER/NAME`; a listener that names the folder has all of them, in the order of their names. The folder is watched. A pair that cannot be used is a warning: its last version stays in effect. */
  readonly dir?: string;
  /** The authorities that issue it, by name, in the order in which they are tried. The gateway obtains and renews it. */
  readonly acme?: readonly string[];
  /** `internal`: the gateway's own authority issues it, for development and private networks. Clients must trust its root: see `prozy trust`. */
  readonly issuer?: 'internal';
  /** The names of an issued certificate: host names, `*.example.com` for all names one level below, and IP addresses. */
  readonly names?: readonly string[];
}

/** Client certificates (mTLS): which clients must have one, and who must have issued it. */
export interface ClientAuth {
  /** `required`: every client must present a certificate. `optional`: clients may present none. In both modes a certificate that is not valid is refused. `none`: clients are not asked for one. */
  readonly mode: 'required' | 'optional' | 'none';
  /** A PEM file with the certificates of the authorities that issue client certificates. Intermediate authorities may stand there without their root. The value may be the PEM text itself, by a reference. */
  readonly ca?: string;
  /** PEM files with the revocation lists of the authorities, one or a list. If there are any, each authority of a client's chain needs a list that is in force. */
  readonly crl?: readonly string[];
  /** The most intermediate certificates between a client's certificate and an authority in `ca`. */
  readonly depth: number;
}

/** How hard each coding works: a higher level gives fewer bytes for more processor time and memory. */
export interface CompressLevelsConfig {
  /** Level of zstd. From 9 on, each response takes more than 10 MiB of memory. */
  readonly zstd: number;
  /** Quality of Brotli. 10 and 11 take a hundred times the processor time of 4. */
  readonly br: number;
  /** Level of gzip. */
  readonly gzip: number;
}

/** A request and its expected outcome. `prozy check` runs the tests, and so does a reload before it takes effect. If a test fails, the config is refused. */
export interface ConfigTest {
  /** A description of the test. The report of a failed test shows it. */
  readonly name?: string;
  /** A request as a client would send it. The test does not send it to any backend. */
  readonly request: TestRequest;
  /** The expected outcome of the request. All given properties must hold, and at least one must be given. */
  readonly expect: TestExpectation;
}

/** Endpoints discovered through DNS. Each address of the name is a separate endpoint. Endpoints are added and removed as the DNS answers change. A plain string is the name. */
export interface DnsNameConfig {
  /** `name:port`, or the name alone with `type: srv`. A name that ends with a dot, or that `servers` resolve, is used as written. Other names are completed by the system's search list. */
  readonly name: string;
  /** The records to query. `auto`: A, or AAAA if there is no A. `both`: A and AAAA. `srv`: SRV, whose records give ports, priorities and weights (RFC 2782), then A or AAAA of their targets. */
  readonly type: 'auto' | 'a' | 'aaaa' | 'both' | 'srv';
}

/** Overrides `reload.drain` for this object, field by field. A route takes precedence over its listener. A plain duration is the deadline. */
export interface DrainOverrideConfig {
  /** As in `reload.drain`. Absent: the value there. */
  readonly deadline?: number;
  /** As in `reload.drain`. Absent: the value there. */
  readonly action?: 'goodbye' | 'close' | 'finish';
  /** As in `reload.drain`. Absent: the value there. */
  readonly spread?: number;
}

/** How exchanges and streams end that the new config would not serve in the same way: how long they may continue, and what happens then. A plain duration is the deadline. */
export interface DrainConfig {
  /** How long a stopping gateway continues to accept connections and requests, so that load balancers notice the stop: `/ready` returns 503, and each response carries `Connection: close`. The deadline starts after the delay. Absent: 5s. Absent in a terminal or without an admin listener, where `/ready` does not exist: 0. */
  readonly delay?: number;
  /** How long an exchange or stream may continue after the reload. It is also the maximum duration of a graceful shutdown. */
  readonly deadline: number;
  /** What happens at the deadline. `goodbye`: the gateway ends the stream with its protocol's own signal: a response gets `Connection: close`, a WebSocket gets the close code 1012, and a protocol without such a signal is closed. `close`: the gateway closes the stream without a signal. `finish`: there is no deadline; the stream ends by itself. */
  readonly action: 'goodbye' | 'close' | 'finish';
  /** The time before the deadline over which the gateway spreads the closes, so that clients do not all reconnect at once. It is never more than half of the deadline. 0: all close at the deadline. */
  readonly spread: number;
}

/** One backend, or all backends that a DNS name resolves to. A plain string is the address. */
export interface EndpointConfig {
  /** `host:port`, `[ipv6]:port` or `unix:/path`. A host name is one endpoint. The system resolves it for each new connection. */
  readonly address?: string;
  /** Endpoints discovered through DNS. Each address of the name is a separate endpoint. Endpoints are added and removed as the DNS answers change. A plain string is the name. */
  readonly dns?: DnsNameConfig;
  /** `false` disables the endpoint without deleting it: it gets no requests and no checks, as if it were removed. Its settings are still validated. */
  readonly enabled: boolean;
  /** Its share of the load relative to the other endpoints. 0: no load. For a DNS name, the weight of each of its addresses. With `type: srv` it multiplies the weights of the records. */
  readonly weight: number;
  /** Maximum number of connections to the endpoint, or to each address of a name, including idle ones. 0: no limit. */
  readonly max_connections: number;
  /** Maximum number of active requests and tunnels at the endpoint, or at each address of a name. 0: no limit. */
  readonly max_requests: number;
}

/** Lets permitted clients see how the gateway handled their request. If a client from these networks sends the field, the response carries the field with listener, route, policies, pool and endpoint. Absent: off, at no cost. */
export interface ExplainConfig {
  /** The header field that requests the report, with any value, and that carries it in the response. A request gets no report if its route removes the field (a headers policy). */
  readonly header: string;
  /** Networks or addresses of clients that may request the report. The gateway compares them with the same client address as ACLs do. */
  readonly allow: readonly string[];
}

/** Serves a request if no endpoint of the pool can: none is healthy, no connection succeeded, the queue is full or the wait in it was too long. It applies only if no part of the request was sent. Exactly one of pool and respond. */
export interface FallbackConfig {
  /** Another pool. It may have a fallback of its own; a chain has at most three pools. */
  readonly pool?: string;
  /** A fixed response. */
  readonly respond?: RespondConfig;
}

/** Changes to header fields. The gateway first removes fields, then sets fields, then adds fields. */
export interface FieldEditsConfig {
  /** Fields to set. Each replaces all existing values. */
  readonly set: Readonly<Record<string, string>>;
  /** Fields to add. Existing values stay. */
  readonly add: Readonly<Record<string, string>>;
  /** Fields to remove. */
  readonly remove: readonly string[];
}

/** A condition on one header field or query parameter. A plain string is an exact value. */
export interface FieldMatch {
  /** The exact value. */
  readonly exact?: string;
  /** A regular expression that must match some part of the value. It runs in linear time. */
  readonly regex?: string;
  /** `true`: it must be present. `false`: it must be absent. */
  readonly present?: boolean;
}

/** Limits of the gateway as a whole. */
export interface GatewayLimits {
  /** Maximum number of client connections over all listeners. HTTP clients beyond it get a 503, TCP clients a reset. 0: as many as the file descriptors allow, at two for each connection. At the file descriptor limit the gateway refuses no client of a TCP socket: new connections wait until there is room. New connections to a Unix socket are refused. */
  readonly connections: number;
  /** Maximum memory in bytes for the request bodies that `buffer` policies hold, and for the bodies of requests that modules send to pools and of their responses. A request whose body does not fit gets a 503 with Retry-After. 0: no limit. */
  readonly buffer_memory: number;
  /** Maximum memory in bytes for the responses that `compress` policies encode at one time, and as much for the requests that `decompress` policies decode. A response beyond it is sent without a coding, a request gets a 503. 0: no limit. */
  readonly compression_memory: number;
  /** Overload protection of the gateway itself. While it is overloaded, new requests get a 503 with Retry-After, new tcp connections get a reset, and `/ready` reports it. Exchanges under way continue. */
  readonly overload: OverloadConfig;
}

/** The gateway's config: everything that one file and its includes declare. */
export interface GatewayConfig {
  /** The version of the config language. */
  readonly version: 1;
  /** Files to merge, as globs (without `**`) relative to this file. Named maps are merged. Routes, tests and invariants are appended in the order of the file names. */
  readonly include: readonly string[];
  /** A separate listener for operators: health, metrics and the state of the gateway. Reading needs no authentication, so keep it on loopback or a private network. Actions (drain, purge, reload, rollback, …) need the `token`. Without a token the gateway accepts actions from the same machine only. Absent: no admin listener. */
  readonly admin?: AdminConfig;
  /** Logs about the gateway and its traffic. */
  readonly logging: LoggingConfig;
  /** How a changed config file takes effect. */
  readonly reload: ReloadConfig;
  /** Limits of the gateway as a whole. */
  readonly limits: GatewayLimits;
  /** Authorities that issue certificates by ACME, by name. `default` needs no entry: it is Let's Encrypt. */
  readonly acme: Readonly<Record<string, AcmeConfig>>;
  /** TLS certificates by name, for the listeners. */
  readonly certificates: Readonly<Record<string, CertificateConfig>>;
  /** Access control lists by name, for listeners and for the acl policy. */
  readonly acls: Readonly<Record<string, AclConfig>>;
  /** Caches by name, for the cache policy. */
  readonly caches: Readonly<Record<string, CacheConfig>>;
  /** Backend pools by name. */
  readonly pools: Readonly<Record<string, PoolConfig>>;
  /** Listeners by name. */
  readonly listeners: Readonly<Record<string, ListenerConfig>>;
  /** Routes in order of precedence: the first route that matches a request wins. */
  readonly routes: readonly RouteConfig[];
  /** Lets permitted clients see how the gateway handled their request. If a client from these networks sends the field, the response carries the field with listener, route, policies, pool and endpoint. Absent: off, at no cost. */
  readonly explain?: ExplainConfig;
  /** Requests and their expected outcomes. If one fails, the config is refused. */
  readonly tests: readonly ConfigTest[];
  /** Properties that every version of the config must have. If one does not hold, the config is refused. */
  readonly invariants: readonly InvariantConfig[];
}

/** The part of a request to hash. If a request lacks it, and for connections that are not HTTP, the gateway hashes the client address. A plain string is the source. */
export interface HashKey {
  /** The client address, or the path of the request in normal form, after any rewrite, without the query. */
  readonly source?: 'client' | 'path';
  /** The header field of the forwarded request whose value is hashed. */
  readonly header?: string;
  /** The cookie whose value is hashed. */
  readonly cookie?: string;
}

/** When the gateway tries an ejected endpoint again. It waits for the first pause, and doubles the pause after each failed try. If the pool has no healthy endpoint and no fallback, requests do not wait for the pauses. */
export interface HealthBackoffConfig {
  /** The first pause. 0: no pauses. */
  readonly first: number;
  /** The longest pause. */
  readonly max: number;
  /** Failed tries before the circuit breaker of the endpoint opens. If the pool has no healthy endpoint, the remaining number of tries limits the concurrent requests that may try this endpoint. With an open breaker one request at a time may try it, plus another one if the first takes longer than a second. */
  readonly retries: number;
  /** The most that a pause is shortened, in percent, at random, so that the gateway does not try all endpoints at the same moment. */
  readonly jitter: number;
  /** How often the gateway probes an endpoint after a failed connection attempt. A probe is a TCP connection, independent of the pauses; the endpoint is back as soon as it accepts one. 0: only requests try it. If active checks are configured, they replace the probes. */
  readonly probe: number;
}

/** What the gateway tells backends about the client, the requested host and the protocol, and which of these fields it accepts from trusted proxies. HTTP only. */
export interface IdentityConfig {
  /** The fields that backends get: `forwarded` (RFC 7239), `x_forwarded` (X-Forwarded-For, -Host and -Proto), `both` with the same content, or `none`. */
  readonly send: 'both' | 'forwarded' | 'x_forwarded' | 'none';
  /** The fields that trusted proxies write. `either`: X-Forwarded-* if X-Forwarded-For is present, else Forwarded. If a proxy writes one form and passes its clients' other form through, set this to the form that the proxy writes. */
  readonly believe: 'either' | 'forwarded' | 'x_forwarded';
  /** Send X-Forwarded-Port, the port of the URL that the client requested. */
  readonly port: boolean;
  /** Send X-Real-IP, the client address that ACLs check. */
  readonly real_ip: boolean;
  /** The client's certificate for backends, as RFC 9440 defines it: `leaf` sends Client-Cert, `chain` Client-Cert-Chain too, with the intermediate certificates that the client has sent. Only a listener with `tls.client_auth` has any. Received fields of these names never pass then, not even from trusted proxies. */
  readonly client_cert: 'none' | 'leaf' | 'chain';
  /** The messages that get a Via field: responses, requests, both or none. Via on a request turns off compression in many backends, nginx among them. */
  readonly via: 'response' | 'request' | 'both' | 'none';
  /** The action for identity fields of peers that are not trusted proxies, such as X-Forwarded-Prefix and X-Real-IP: `drop` or `pass`. The gateway always replaces the fields that it writes itself. */
  readonly untrusted: 'drop' | 'pass';
  /** The action for header fields with an underscore, or any other character than letters, digits and hyphens, in the name. Many frameworks treat it like the name with hyphens: `drop`, `pass`, or `refuse` with 400. Variants of names that the gateway knows, such as `Content_Length` or `X_Forwarded_For`, never pass. */
  readonly underscores: 'drop' | 'pass' | 'refuse';
}

/** A property that every config must have to take effect. `prozy check` checks it, and so does a reload before it takes effect. */
export type InvariantConfig = RouteExistsInvariant | NoOpenListenerInvariant | MinEndpointsInvariant | NeverBoundInvariant | HeaderNeverPassedInvariant | NoUnreachableRouteInvariant;

/** Idle connections to endpoints that the gateway keeps for later requests. */
export interface KeepaliveConfig {
  /** Maximum number of idle connections to each endpoint. */
  readonly connections: number;
  /** How long an idle connection is kept. `Keep-Alive: timeout=N` of the endpoint can shorten it. 0: no limit. */
  readonly idle: number;
  /** Maximum age of a connection. The gateway closes an older one when it is idle. 0: no limit. */
  readonly max_age: number;
  /** Connections opened to each endpoint before the first request. The gateway opens them when the config takes effect, and again if fewer are left. */
  readonly prewarm: number;
}

/** Limits on clients. 0 means no limit where the setting says so. */
export interface ListenerLimits {
  /** Maximum number of concurrent connections. HTTP clients beyond it get a 503, TCP clients a reset. 0: no limit. */
  readonly connections: number;
  /** Maximum number of concurrent connections from one address. HTTP clients beyond it get a 429, TCP clients a reset. 0: no limit. */
  readonly connections_per_client: number;
  /** Maximum number of TLS handshakes at once: each holds up to 100 KiB. Further ones wait in order of arrival, within `timeouts.handshake`; while some wait, a handshake whose client has not finished it within a second is ended. 0: no limit. */
  readonly handshakes: number;
  /** Maximum size in bytes of a request head; 431 beyond. */
  readonly header_size: number;
  /** Maximum number of fields in a request head; 431 beyond. */
  readonly header_count: number;
  /** Maximum size in bytes of a request target; 414 beyond. */
  readonly uri_size: number;
  /** Maximum size in bytes of a request body; 413 beyond. 0: no limit. */
  readonly body_size: number;
}

/** Timeouts for clients. */
export interface ListenerTimeouts {
  /** Maximum time for the TLS handshake, or for the ClientHello of a connection that is passed through, from the start of the connection; then the gateway closes it. */
  readonly handshake: number;
  /** Maximum time for the whole request head, from its first byte (or from the start of the connection); then 408. */
  readonly header: number;
  /** Maximum time between two parts of a request body; then 408. 0: no limit. */
  readonly body: number;
  /** Maximum time between two requests on a connection; then the gateway closes it. 0: no limit. */
  readonly idle: number;
  /** Maximum time in which the client reads no byte of the pending data; then the gateway aborts the connection. 0: no limit. */
  readonly send: number;
}

/** TLS for the clients of a listener. */
export interface ListenerTls {
  /** The certificates by name; the name of a folder stands for all certificates in it. The server name that a client asks for (SNI) chooses among them: an exact name first, then a wildcard. Certificates with the same names and keys of different types (ECDSA and RSA) go together: each client gets the one that it can use. */
  readonly certificates?: readonly string[];
  /** Obtains a certificate for each host of the listener's routes, from these authorities, by name, in the order in which they are tried. `default` is Let's Encrypt unless `acme` has another of that name. Until the first certificate is there, a self-signed one is used. */
  readonly acme?: readonly string[];
  /** `internal`: the same from the gateway's own authority, for development and private networks. Clients must trust its root: see `prozy trust`. */
  readonly issuer?: 'internal';
  /** Certificates for server names that no certificate has, obtained when a client first asks for one. The handshake waits. */
  readonly on_demand?: OnDemandConfig;
  /** For clients that ask for a server name that no certificate has: `default` gives them the first certificate, `refuse` ends the handshake (alert unrecognized_name). Clients that send no server name always get the first certificate. */
  readonly unknown_name: 'default' | 'refuse';
  /** The lowest version of TLS. There is none below 1.2 (RFC 8996). */
  readonly min_version: '1.2' | '1.3';
  /** The cipher suites, by the names of OpenSSL. Absent: those that Mozilla recommends for general-purpose servers (intermediate), all with forward secrecy and authenticated encryption. */
  readonly ciphers?: readonly string[];
  /** The groups for the key exchange, most wanted first. X25519MLKEM768 withstands quantum computers. */
  readonly groups: readonly string[];
  /** Client certificates (mTLS): which clients must have one, and who must have issued it. */
  readonly client_auth?: ClientAuth;
  /** Settings of their own for some server names: exact, or `*.example.com` for all names below. A connection is bound to the settings of the server name that the client sent: a request for a host with other settings gets a 421. */
  readonly names: Readonly<Record<string, TlsName>>;
  /** Session tickets: clients that come back resume their session without a full handshake, for up to 24 hours. */
  readonly tickets: TlsTickets;
}

/** An address on which the gateway accepts client connections. */
export interface ListenerConfig {
  /** `host:port`, `[ipv6]:port` or `unix:/path`. The address identifies the listening socket: renaming the listener keeps the socket. Port 0 takes any free port. The gateway replaces the file of a Unix socket if no process listens on it. */
  readonly address: string;
  /** `false` disables the listener without deleting it: its address is not opened. Its settings are still validated. */
  readonly enabled: boolean;
  /** `http` handles requests by the routes. `tcp` relays each connection to a pool, byte for byte. */
  readonly protocol: 'http' | 'tcp';
  /** The pool of a tcp listener. With `tls_routes`: the pool of TLS connections that no TLS route matches; absent, they are refused (alert unrecognized_name). */
  readonly pool?: string;
  /** TLS for the clients of a listener. */
  readonly tls?: ListenerTls;
  /** Rules in order of precedence that select TLS connections by server name (SNI) and protocols (ALPN), and pass them through to pools without decrypting them. Connections that match none are decrypted if the listener has `tls`. */
  readonly tls_routes: readonly TlsRoute[];
  /** The pool of connections of a tcp listener that do not begin with TLS, although the listener has `tls` or `tls_routes`. Absent: they are reset. */
  readonly plain_pool?: string;
  /** Networks of trusted proxies in front of the gateway. The gateway accepts Forwarded, X-Forwarded-* and other identity fields from them. From all other peers it replaces or drops these fields. */
  readonly trusted_proxies: readonly string[];
  /** What the gateway tells backends about the client, the requested host and the protocol, and which of these fields it accepts from trusted proxies. HTTP only. */
  readonly identity: IdentityConfig;
  /** The ACL that clients must pass. Denied HTTP clients get a 403, denied TCP clients a reset. */
  readonly acl?: string;
  /** The policies of every route of an http listener, outermost first: they come before each route's own. Their response hooks also see what the gateway answers before it has found a route, such as a 404. A cache belongs to a route. */
  readonly policies: readonly PolicyConfig[];
  /** Limits on clients. 0 means no limit where the setting says so. */
  readonly limits: ListenerLimits;
  /** Timeouts for clients. */
  readonly timeouts: ListenerTimeouts;
  /** How the gateway reads request paths. Rules see a path as a decoding backend reads it. With a `…_for_rules` value the gateway still forwards the path as received. A dot segment that only some backends see (`/..%2Fadmin`, `/..;/admin`) is refused with 400 unless the setting for it is `keep`. */
  readonly paths: PathsConfig;
  /** Overrides `reload.drain` for this object, field by field. A route takes precedence over its listener. A plain duration is the deadline. */
  readonly drain?: DrainOverrideConfig;
}

/** Logs about the gateway and its traffic. */
export interface LoggingConfig {
  /** The lowest level that the application log (on stderr) shows. */
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Writes one JSON line for each exchange and each tunnel. Absent: no access log. */
  readonly access?: AccessLogConfig;
}

/** Conditions on a request. All of them must hold. Empty: every request. */
export interface MatchConfig {
  /** The requested host, without port and case-insensitive: exact, or `*.example.com` for all names below. One or a list. */
  readonly host?: readonly string[];
  /** A condition on the path, as a decoding backend reads it (see `paths` of the listener). A plain string is a prefix. */
  readonly path?: PathMatch;
  /** The methods, case-sensitive. */
  readonly methods?: readonly string[];
  /** Header fields by name, case-insensitive. */
  readonly headers: Readonly<Record<string, FieldMatch>>;
  /** Query parameters by name, decoded. If a name occurs several times, the first value counts. */
  readonly query: Readonly<Record<string, FieldMatch>>;
}

/** Sends a copy of each forwarded request to another pool too, with the field X-Prozy-Mirror: 1. The gateway discards the response to the copy, and the client sees no difference. It copies requests of all methods, including those that change state. It sends each copy once, within the timeouts of its pool. It does not copy upgrade requests. */
export interface MirrorConfig {
  /** The pool that gets the copies. */
  readonly pool: string;
  /** Percent of the requests to copy, chosen at random. */
  readonly share: number;
  /** Maximum number of copies under way, over all generations. Copies beyond it are dropped and counted. */
  readonly concurrency: number;
  /** Maximum body size in bytes of a copied request. The gateway sends the copy when the whole body has arrived. Requests with larger bodies are not copied; they are counted. */
  readonly body_size: number;
}

/** Certificates for server names that no certificate has, obtained when a client first asks for one. The handshake waits. */
export interface OnDemandConfig {
  /** A URL that says which names may have a certificate: `GET <url>?domain=<name>`. A 2xx status allows it. Any other is a refusal, which is remembered for a minute; 5xx is none of both. */
  readonly ask: string;
  /** Maximum number of names in memory. Beyond it, the one that was not used for the longest time is dropped; its certificate stays in the state directory. */
  readonly names: number;
  /** Maximum number of new names in `per`. Handshakes with more are refused. */
  readonly rate: number;
  /** The time to which `rate` refers. */
  readonly per: number;
  /** How long a handshake waits for a certificate. Afterwards the order goes on without it. It counts in place of the `handshake` time limit of the listener. */
  readonly wait: number;
}

/** A condition on the Origin of a request. A plain string is an origin. */
export interface OriginMatch {
  /** An exact origin; or `https://*.example.com`, where the star stands for one or more labels; or `*` for any origin; or `"null"` for the origin of sandboxed documents and files. */
  readonly origin?: string;
  /** A regular expression that must match the whole origin. It begins with ^ and ends with $, and runs in linear time. */
  readonly regex?: string;
}

/** Overload protection of the gateway itself. While it is overloaded, new requests get a 503 with Retry-After, new tcp connections get a reset, and `/ready` reports it. Exchanges under way continue. */
export interface OverloadConfig {
  /** The event loop delay that counts as overload. The overload ends below half of it. 0: off. */
  readonly loop_delay: number;
  /** The resident memory of the process that counts as overload. The overload ends at nine tenths of it. 0: off. */
  readonly memory: number;
}

/** Health derived from the traffic itself. One failed connection attempt ejects the endpoint at once. Other failures eject it only after several in a row. */
export interface PassiveHealthConfig {
  /** Failed exchanges in a row before the endpoint is ejected. Timeouts, resets, responses that are not HTTP, and the failures listed below count. 0: they never eject it. */
  readonly failures: number;
  /** Statuses that count as failures. */
  readonly statuses: readonly number[];
  /** A response whose head takes longer than this counts as a failure. 0: off. */
  readonly latency: number;
  /** Percent of a pool's endpoints that failed exchanges may eject at a time, so that a fault common to all endpoints does not eject the whole pool. It does not limit ejections by failed connection attempts and failed checks. */
  readonly max_ejected: number;
  /** Ejects endpoints whose success rate is clearly lower than that of the others, although they never fail often enough in a row. */
  readonly success_rate: SuccessRateConfig;
}

/** A condition on the path, as a decoding backend reads it (see `paths` of the listener). A plain string is a prefix. */
export interface PathMatch {
  /** The exact path. */
  readonly exact?: string;
  /** A path and all paths below it, by whole segments: `/v1` matches `/v1` and `/v1/x`, not `/v10`. `*`, `:id` and `{id}` stand for themselves and cause a warning: use `regex`. */
  readonly prefix?: string;
  /** A regular expression that must match some part of the path. Anchor it with ^ and $. It runs in linear time. */
  readonly regex?: string;
}

/** How the gateway reads request paths. Rules see a path as a decoding backend reads it. With a `…_for_rules` value the gateway still forwards the path as received. A dot segment that only some backends see (`/..%2Fadmin`, `/..;/admin`) is refused with 400 unless the setting for it is `keep`. */
export interface PathsConfig {
  /** How to treat `%2F` and `%5C`. `decode_for_rules`: rules see a slash, backends get them as received. `decode`: backends get a slash too. `keep`: an ordinary character. `refuse`: 400. */
  readonly encoded_slash: 'decode_for_rules' | 'decode' | 'keep' | 'refuse';
  /** How to treat `//`. `merge_for_rules`: rules see one slash, backends get them as received. `merge`: backends get one slash too. `keep`: an empty segment. `refuse`: 400. */
  readonly repeated_slashes: 'merge_for_rules' | 'merge' | 'keep' | 'refuse';
  /** How to treat `;` and the rest of its segment, as in `/a;v=1/b`. `remove_for_rules`: rules do not see them, backends get them as received. `remove`: backends do not get them either. `keep`: ordinary characters. `refuse`: 400. */
  readonly parameters: 'remove_for_rules' | 'remove' | 'keep' | 'refuse';
  /** How to treat encoded control characters, `%01` to `%1F` and `%7F`. `refuse`: 400. `keep`: backends get them as received. `%00` is always refused. */
  readonly control_characters: 'refuse' | 'keep';
  /** How to treat characters in a request target that are not ASCII and not percent-encoded. `refuse`: 400. `encode`: valid UTF-8 is percent-encoded, for rules and for backends; other bytes are refused. */
  readonly raw_utf8: 'refuse' | 'encode';
  /** The form of the path that backends get. `normal`: dot segments are resolved, and encoded letters, digits and `-._~` are decoded. `received`: the path as received, for backends that verify signatures over it. Decoding, merging and removing then apply to rules only, and a path that is not in normal form is not cached. A path that a policy rewrites is always sent in normal form. */
  readonly send: 'normal' | 'received';
}

/** A processing step that a route applies to its requests and responses. */
export type PolicyConfig = AclPolicyConfig | BufferPolicyConfig | CachePolicyConfig | CompressPolicyConfig | CorsPolicyConfig | DecompressPolicyConfig | HeadersPolicyConfig | ModulePolicyConfig | RewritePolicyConfig;

/** How the gateway resolves endpoints that are DNS names (`dns`). An empty answer, an error or a timeout keeps the last known addresses. */
export interface PoolDnsConfig {
  /** The DNS servers, each an IP address with an optional port. Absent: the system's. */
  readonly servers?: readonly string[];
  /** Maximum time for all queries about one name. */
  readonly timeout: number;
  /** Minimum time between two resolutions of a name, for any record TTL and after failures. */
  readonly min_ttl: number;
  /** Maximum time between two resolutions of a name. */
  readonly max_ttl: number;
  /** The most that the time between two resolutions is lengthened, in percent, at random, so that several gateways do not query at the same moment. */
  readonly jitter: number;
  /** How long an address stays after the last answer that contained it. Use it for servers that return a changing subset of many addresses. 0: the first answer without the address removes it. */
  readonly hold: number;
}

/** How the gateway determines the health of endpoints. */
export interface PoolHealthConfig {
  /** Active health checks: the gateway checks each endpoint at a regular interval, in addition to passive health. */
  readonly active?: ActiveCheckConfig;
  /** Health derived from the traffic itself. One failed connection attempt ejects the endpoint at once. Other failures eject it only after several in a row. */
  readonly passive: PassiveHealthConfig;
  /** When the gateway tries an ejected endpoint again. It waits for the first pause, and doubles the pause after each failed try. If the pool has no healthy endpoint and no fallback, requests do not wait for the pauses. */
  readonly backoff: HealthBackoffConfig;
  /** Percent of endpoints. While fewer are healthy, the gateway sends requests to all endpoints, because the healthy ones would break under the load. 0: never. */
  readonly panic: number;
  /** How long an endpoint that is new or healthy again ramps up to its full share. 0: no ramp. */
  readonly slow_start: number;
}

/** Hedging: if the first attempt is slow, the gateway starts a second one at another endpoint and uses the first response. Only for idempotent requests without a body, and within the retry budget. */
export interface PoolHedgeConfig {
  /** How long to wait for the response head of the first attempt before the second starts. */
  readonly delay: number;
}

/** Limits on responses of backends. A response beyond a limit becomes a 502. */
export interface PoolLimits {
  /** Maximum size in bytes of a response head. */
  readonly header_size: number;
  /** Maximum number of fields in a response head. */
  readonly header_count: number;
}

/** Queue of requests and tcp connections that wait for an endpoint: every healthy endpoint is at its limit, or none is healthy and other requests are trying them. */
export interface PoolQueueConfig {
  /** Maximum length of the queue. Requests beyond it get a 503 with Retry-After. 0: no queue. */
  readonly depth: number;
  /** Maximum wait in the queue; then the request gets a 503 with Retry-After. */
  readonly wait: number;
  /** The order of service: first in, first out; or last in, first out while the queue is more than half full, because the clients of the newest requests are most likely still connected. */
  readonly order: 'fifo' | 'adaptive_lifo';
}

/** Retries of a request whose first attempt failed before any part of a response reached the client. Once any part of the request was sent, only idempotent requests (RFC 9110 §9.2.2) are retried, unless `non_idempotent` is set. */
export interface PoolRetriesConfig {
  /** Maximum number of retries. Each goes to an endpoint not yet tried, as long as there is one. */
  readonly attempts: number;
  /** The failures to retry after: no connection, a connection that broke before the response, a timeout, a response that is not HTTP. Absent: all but `timeout`, and `timeout` too if per_try_timeout is set. */
  readonly on?: readonly ('connect' | 'reset' | 'timeout' | 'bad_response')[];
  /** Statuses after which a request that may be repeated is retried at another endpoint. The client gets the last response. The gateway does not retry at an endpoint that responded with Retry-After. */
  readonly statuses: readonly number[];
  /** Whether requests that are not idempotent (POST, PATCH and others) are retried like idempotent ones. Only for backends that recognise a repeated request: one whose response was lost may be processed twice. */
  readonly non_idempotent: boolean;
  /** Maximum time for the response head in each attempt; then the gateway retries. 0: the first_byte timeout applies. */
  readonly per_try_timeout: number;
  /** Maximum size in bytes of a request body that the gateway buffers until the response starts, so that it can retry requests. 0: no buffering. A body that the `buffer` policy has read is sent again whatever its size. */
  readonly body_size: number;
  /** Pauses before the second and later retries. Each pause is random, between zero and a bound that doubles. The first retry follows at once. */
  readonly backoff: RetryBackoffConfig;
  /** Maximum number of concurrent retries, so that retries do not overload a pool in trouble. A retry beyond the budget waits a few times, with the pauses of the backoff, and then gives up. */
  readonly budget: RetryBudgetConfig;
}

/** Timeouts for backends. */
export interface PoolTimeouts {
  /** Maximum time to establish a connection; then the gateway tries another endpoint, or the client gets a 504. */
  readonly connect: number;
  /** Maximum time from the end of the request to the response head; then the client gets a 504. 0: no limit. */
  readonly first_byte: number;
  /** Maximum time without a byte while a body is under way: received from a backend, or accepted by it. 0: no limit. */
  readonly idle: number;
  /** Maximum time without a byte of a `text/event-stream`, in place of `idle`. 0: no limit. */
  readonly stream: number;
  /** Maximum time without a byte in either direction of a tunnel, which is an upgraded connection or a connection of a tcp listener. 0: no limit. */
  readonly tunnel: number;
  /** Maximum time for a request with all its attempts and pauses, from its head to the last byte of the response. Then the client gets a 504, or the gateway aborts its connection if the response had started. 0: no limit. */
  readonly total: number;
}

/** TLS for the connections to the endpoints, health checks included. `true` stands for the defaults: the endpoint's certificate must be valid, have the endpoint's name, and lead to a root of the system. */
export interface PoolTls {
  /** `false` connects without TLS. The other settings are still validated. */
  readonly enabled: boolean;
  /** The file of the CA certificates in PEM: the endpoint's certificate must lead to one of them. The value may be the PEM text itself, by a reference. Absent: the roots of the system. A changed file takes effect with the next connection. */
  readonly ca?: string;
  /** The name that is sent (SNI) and that the endpoint's certificate must have: a host name or an IP address. `from_host`: the host that the endpoint gets in the request; each name has connections of its own. Absent: the endpoint's DNS name or IP address as written. */
  readonly server_name?: string;
  /** The client certificate for endpoints that ask for one, by its name in `certificates`. */
  readonly certificate?: string;
  /** `false` accepts any certificate with any name, so that the connection is encrypted to an unknown peer. `pins` still count. */
  readonly verify: boolean;
  /** The public keys that the endpoint's certificate may have, each as the SHA-256 of its SubjectPublicKeyInfo in base64. They count in addition to the verification. Empty: any key. */
  readonly pins: readonly string[];
  /** The protocols that connections of tcp listeners offer (ALPN), most wanted first. Connections of http listeners offer `http/1.1`. */
  readonly alpn: readonly string[];
  /** The lowest version of TLS. There is none below 1.2 (RFC 8996). */
  readonly min_version: '1.2' | '1.3';
  /** The cipher suites, by the names of OpenSSL. Absent: those that Mozilla recommends (intermediate), all with forward secrecy and authenticated encryption. */
  readonly ciphers?: readonly string[];
  /** The groups for the key exchange, most wanted first. X25519MLKEM768 withstands quantum computers. */
  readonly groups: readonly string[];
}

/** A set of endpoints that serve the same requests. */
export interface PoolConfig {
  /** The previous name of this pool. With it the endpoints keep their admin state (`prozy drain`, `disable`), health, load and connections, and active streams continue. It has no effect after that reload, so the next edit may remove it. */
  readonly renamed_from?: string;
  /** The load balancing strategy: how to choose one of the healthy endpoints. A plain string is its type. */
  readonly strategy: StrategyConfig;
  /** Session affinity by a cookie: a client stays with its first endpoint while that endpoint is healthy. Otherwise the strategy chooses a new one. HTTP only. Endpoints of weight 0 keep their existing clients. */
  readonly sticky?: StickyConfig;
  /** The backends. */
  readonly endpoints: readonly EndpointConfig[];
  /** How the gateway resolves endpoints that are DNS names (`dns`). An empty answer, an error or a timeout keeps the last known addresses. */
  readonly dns: PoolDnsConfig;
  /** Timeouts for backends. */
  readonly timeouts: PoolTimeouts;
  /** Idle connections to endpoints that the gateway keeps for later requests. */
  readonly keepalive: KeepaliveConfig;
  /** Limits on responses of backends. A response beyond a limit becomes a 502. */
  readonly limits: PoolLimits;
  /** Faults in responses that the gateway tolerates instead of responding with a 502. `bare_lf`: a line of the head ends in LF alone. `folded_lines`: a field continues on the next line, which begins with white space. `space_before_colon`: white space between a field's name and its colon. `repeated_content_length`: several Content-Length fields with the same value. `space_after_chunk_size`: white space at the end of a chunk size line. `status_above_599`: a status from 600 to 999; it counts as 5xx. The client gets the response in strict form. */
  readonly lenient: readonly ('bare_lf' | 'folded_lines' | 'space_before_colon' | 'repeated_content_length' | 'space_after_chunk_size' | 'status_above_599')[];
  /** The Host that endpoints get, also in checks. `preserve`: the client's (in checks the endpoint's). `endpoint`: the endpoint's DNS name or address as written, without the default port (80, with `tls` 443). Otherwise a fixed host, with or without a port. X-Forwarded-Host and Forwarded carry the client's host. To use a host named preserve or endpoint, write it with a port. */
  readonly host: string;
  /** TLS for the connections to the endpoints, health checks included. `true` stands for the defaults: the endpoint's certificate must be valid, have the endpoint's name, and lead to a root of the system. */
  readonly tls?: PoolTls;
  /** Maximum number of connections to all endpoints together, including idle ones. Requests beyond it wait in the queue. 0: no limit. */
  readonly max_connections: number;
  /** How the gateway determines the health of endpoints. */
  readonly health: PoolHealthConfig;
  /** Retries of a request whose first attempt failed before any part of a response reached the client. Once any part of the request was sent, only idempotent requests (RFC 9110 §9.2.2) are retried, unless `non_idempotent` is set. */
  readonly retries: PoolRetriesConfig;
  /** Queue of requests and tcp connections that wait for an endpoint: every healthy endpoint is at its limit, or none is healthy and other requests are trying them. */
  readonly queue: PoolQueueConfig;
  /** Serves a request if no endpoint of the pool can: none is healthy, no connection succeeded, the queue is full or the wait in it was too long. It applies only if no part of the request was sent. Exactly one of pool and respond. */
  readonly fallback?: FallbackConfig;
  /** Maximum number of active requests and tunnels at all endpoints together. Requests beyond it wait in the queue. 0: no limit. */
  readonly max_requests: number;
  /** Hedging: if the first attempt is slow, the gateway starts a second one at another endpoint and uses the first response. Only for idempotent requests without a body, and within the retry budget. */
  readonly hedge?: PoolHedgeConfig;
}

/** Redirects the client. The given parts replace those of the request's URL. The other parts stay, including the query. */
export interface RedirectConfig {
  /** The redirect status. It determines whether the redirect is permanent and whether the method stays. */
  readonly status: 301 | 302 | 303 | 307 | 308;
  /** The new scheme. */
  readonly scheme?: 'http' | 'https';
  /** The new host. */
  readonly host?: string;
  /** The new port. */
  readonly port?: number;
  /** The new path. It replaces the whole path of the request, not a prefix. Absent: the path stays. */
  readonly path?: string;
}

/** How a changed config file takes effect. */
export interface ReloadConfig {
  /** Whether file changes take effect automatically. false: the gateway rereads the files only on SIGHUP, on `prozy reload` and on a push. */
  readonly watch: boolean;
  /** How long a file that is written in place must stay unchanged before the gateway reads it, because half of a file can be valid. It applies to config files and to files that they refer to. A file replaced by a rename, or a link with a new target, is read at once. SIGHUP, `prozy reload` and a push do not wait. */
  readonly settle: number;
  /** How exchanges and streams end that the new config would not serve in the same way: how long they may continue, and what happens then. A plain duration is the deadline. */
  readonly drain: DrainConfig;
  /** Maximum number of concurrent generations, including the current one. Beyond it the gateway ends the exchanges of the oldest generation at once, with their protocol's goodbye and a warning in the log. */
  readonly max_generations: number;
  /** Directory, relative to the config file, for the configs that were in effect: for `prozy history`, `prozy rollback`, and a start with an invalid file. The gateway creates it if it does not exist. It stores references as written, never the values behind them. The keys of certificates that the gateway obtains are in it, too. Absent: no history, and such keys are in a directory of the user. `--state-dir` and PROZY_STATE_DIR take precedence. */
  readonly state_dir?: string;
  /** How many configs `state_dir` keeps. */
  readonly history: number;
  /** Whether the gateway may start with the last config that was in effect, from `state_dir`, if the file is invalid. The setting in that stored config decides. `--no-last-good` always forbids it. */
  readonly start_from_last_good: boolean;
  /** What happens to active exchanges and streams that the new config would refuse: an ACL denies the client, or a lower connection limit of the listener leaves no room for it (the newest connections are over the limit). `drain`: they are drained like exchanges of a removed route. `cut`: they end at once (WebSocket code 1008). `keep`: they continue without a deadline. */
  readonly tightened: 'keep' | 'drain' | 'cut';
}

/** A fixed response. */
export interface RespondConfig {
  /** The status. */
  readonly status: number;
  /** The header fields. */
  readonly headers: Readonly<Record<string, string>>;
  /** The content. */
  readonly body: string;
}

/** Pauses before the second and later retries. Each pause is random, between zero and a bound that doubles. The first retry follows at once. */
export interface RetryBackoffConfig {
  /** The first bound. 0: no pauses. */
  readonly first: number;
  /** The largest bound. */
  readonly max: number;
}

/** Maximum number of concurrent retries, so that retries do not overload a pool in trouble. A retry beyond the budget waits a few times, with the pauses of the backoff, and then gives up. */
export interface RetryBudgetConfig {
  /** Percent of the pool's active requests. */
  readonly share: number;
  /** The number of retries that is always allowed. */
  readonly min: number;
}

/** Limits for requests of this route. They override the limits of the listener and may be higher. Absent: the value of the listener. */
export interface RouteLimitsConfig {
  /** Maximum size in bytes of a request body; 413 beyond. 0: no limit. */
  readonly body_size?: number;
}

/** Retries of requests of this route. They override the pool's `retries`; backoff and budget are the pool's. Absent: the value of the pool. */
export interface RouteRetriesConfig {
  /** Maximum number of retries. Each goes to an endpoint not yet tried, as long as there is one. */
  readonly attempts?: number;
  /** The failures to retry after: no connection, a connection that broke before the response, a timeout, a response that is not HTTP. Absent: the value of the pool. */
  readonly on?: readonly ('connect' | 'reset' | 'timeout' | 'bad_response')[];
  /** Statuses after which a request that may be repeated is retried at another endpoint. The client gets the last response. The gateway does not retry at an endpoint that responded with Retry-After. */
  readonly statuses?: readonly number[];
  /** Whether requests that are not idempotent (POST, PATCH and others) are retried like idempotent ones. Only for backends that recognise a repeated request: one whose response was lost may be processed twice. */
  readonly non_idempotent?: boolean;
  /** Maximum time for the response head in each attempt; then the gateway retries. 0: the first_byte timeout applies. */
  readonly per_try_timeout?: number;
  /** Maximum size in bytes of a request body that the gateway buffers until the response starts, so that it can retry requests. 0: no buffering. A body that the `buffer` policy has read is sent again whatever its size. */
  readonly body_size?: number;
}

/** Timeouts for exchanges of this route. `body` and `send` override the listener's, the others the pool's. Absent: the value there. */
export interface RouteTimeoutsConfig {
  /** Maximum time between two parts of a request body; then 408. 0: no limit. */
  readonly body?: number;
  /** Maximum time in which the client reads no byte of the pending data; then the gateway aborts the connection. 0: no limit. */
  readonly send?: number;
  /** Maximum time from the end of the request to the response head; then the client gets a 504. 0: no limit. */
  readonly first_byte?: number;
  /** Maximum time without a byte while a body is under way: received from a backend, or accepted by it. 0: no limit. */
  readonly idle?: number;
  /** Maximum time without a byte of a `text/event-stream`, in place of `idle`. 0: no limit. */
  readonly stream?: number;
  /** Maximum time without a byte in either direction of a tunnel, which is an upgraded connection or a connection of a tcp listener. 0: no limit. */
  readonly tunnel?: number;
  /** Maximum time for a request with all its attempts and pauses, from its head to the last byte of the response. Then the client gets a 504, or the gateway aborts its connection if the response had started. 0: no limit. */
  readonly total?: number;
}

/** Selects requests and says how to handle them. Exactly one of pool, split, respond and redirect. */
export interface RouteConfig {
  /** A unique name. Logs and metrics show it. */
  readonly name: string;
  /** `false` disables the route without deleting it: it matches no requests. Its settings are still validated. */
  readonly enabled: boolean;
  /** The http listeners that the route applies to. Absent: all of them. */
  readonly listeners?: readonly string[];
  /** Conditions on a request. All of them must hold. Empty: every request. */
  readonly match: MatchConfig;
  /** The policies of the route, outermost first. */
  readonly policies: readonly PolicyConfig[];
  /** Send the request to this pool. */
  readonly pool?: string;
  /** Send each request to one of several pools, by weight: at random, or by the key in `split_by`. */
  readonly split?: readonly SplitPartConfig[];
  /** The key of a split. Requests with the same key go to the same pool, and a change of the weights moves few keys. Absent: the pool of each request is random. */
  readonly split_by?: HashKey;
  /** Sends a copy of each forwarded request to another pool too, with the field X-Prozy-Mirror: 1. The gateway discards the response to the copy, and the client sees no difference. It copies requests of all methods, including those that change state. It sends each copy once, within the timeouts of its pool. It does not copy upgrade requests. */
  readonly mirror?: MirrorConfig;
  /** Whether the gateway maps Location, Content-Location, Refresh and the Path and Domain of cookies back to the names that clients know. It reverses its own changes: a rewritten path, the Host of the pool, the endpoint's own address. */
  readonly map_back: boolean;
  /** A fixed response. */
  readonly respond?: RespondConfig;
  /** Redirects the client. The given parts replace those of the request's URL. The other parts stay, including the query. */
  readonly redirect?: RedirectConfig;
  /** Timeouts for exchanges of this route. `body` and `send` override the listener's, the others the pool's. Absent: the value there. */
  readonly timeouts?: RouteTimeoutsConfig;
  /** Limits for requests of this route. They override the limits of the listener and may be higher. Absent: the value of the listener. */
  readonly limits?: RouteLimitsConfig;
  /** Retries of requests of this route. They override the pool's `retries`; backoff and budget are the pool's. Absent: the value of the pool. */
  readonly retries?: RouteRetriesConfig;
  /** Overrides `reload.drain` for this object, field by field. A route takes precedence over its listener. A plain duration is the deadline. */
  readonly drain?: DrainOverrideConfig;
}

/** One pool of a split. */
export interface SplitPartConfig {
  /** The name of the pool. */
  readonly pool: string;
  /** Its share of the requests is weight ÷ sum of all weights. 0: none. */
  readonly weight: number;
}

/** Session affinity by a cookie: a client stays with its first endpoint while that endpoint is healthy. Otherwise the strategy chooses a new one. HTTP only. Endpoints of weight 0 keep their existing clients. */
export interface StickyConfig {
  /** The name of the cookie. Pools with different endpoints need different names if the same clients use them on one host. */
  readonly cookie: string;
  /** Signs the cookie (HMAC-SHA256 over the endpoint's address), so that a client cannot guess the cookie of another endpoint. Gateways that accept each other's cookies need the same secret. Absent: the cookie is an unsigned hash of the endpoint's address, and a client that knows the address can choose the endpoint. */
  readonly secret?: string;
  /** The Path attribute of the cookie. */
  readonly path: string;
  /** The Max-Age attribute of the cookie, counted from its first issue. Absent: a session cookie. */
  readonly ttl?: number;
  /** The Secure attribute: clients send the cookie over TLS only. */
  readonly secure: boolean;
  /** The HttpOnly attribute: scripts in the page cannot read the cookie. */
  readonly http_only: boolean;
  /** The SameSite attribute, for requests that other sites cause: `lax` sends the cookie when a link leads to the site, `strict` never, `none` always (needs `secure`). */
  readonly same_site: 'lax' | 'strict' | 'none';
}

/** The load balancing strategy: how to choose one of the healthy endpoints. A plain string is its type. */
export type StrategyConfig = RoundRobinConfig | WeightedRoundRobinConfig | LeastConnectionsConfig | RandomConfig | IpHashConfig | P2cConfig | RingHashConfig | MaglevConfig;

/** Ejects endpoints whose success rate is clearly lower than that of the others, although they never fail often enough in a row. */
export interface SuccessRateConfig {
  /** How many standard deviations below the mean success rate of the endpoints an endpoint is ejected. 0: off. */
  readonly deviations: number;
  /** Minimum distance below the mean in percentage points, even if the other rates are close together. The distance must also be more than chance explains. */
  readonly margin: number;
  /** How long the gateway counts before it compares rates. */
  readonly interval: number;
  /** Minimum number of endpoints with enough requests for a comparison. */
  readonly min_endpoints: number;
  /** Minimum number of exchanges of an endpoint within the interval. With fewer its rate is ignored. */
  readonly min_requests: number;
}

/** The expected outcome of the request. All given properties must hold, and at least one must be given. */
export interface TestExpectation {
  /** The listener that accepts the request. */
  readonly listener?: string;
  /** The TLS route that the connection matches. */
  readonly tls_route?: string;
  /** The route that the request matches. */
  readonly route?: string;
  /** Whether the request passes the listener's ACL and every policy of its route. An answer that is no refusal, such as that to a CORS preflight, counts as passing. */
  readonly allowed?: boolean;
  /** What refuses the request: `listener` for the listener's ACL or TLS, else the type of a policy. */
  readonly denied_by?: string;
  /** The status of a local reply: a fixed response, a redirect, a refusal, a 404. */
  readonly status?: number;
  /** The full Location of a redirect. */
  readonly location?: string;
  /** The pools that the request may go to. With a random split, every possible pool must be in this list. */
  readonly pool?: readonly string[];
  /** The endpoints that the request may go to while all are healthy. Every possible endpoint must be in this list. */
  readonly endpoint?: readonly string[];
  /** The path and query of the forwarded request. */
  readonly path?: string;
  /** Header fields of the forwarded request, by name. */
  readonly request_headers: Readonly<Record<string, FieldMatch>>;
}

/** A request as a client would send it. The test does not send it to any backend. */
export interface TestRequest {
  /** The method. */
  readonly method: string;
  /** An absolute URL. Its host, with the port if it has one, is the Host field; with https it is the server name (SNI), too. `tls://host:port` is a TLS connection with that server name, and no request; `tls://:port` one without a server name. Path and query are sent as written. A name that is not ASCII is sent in its `xn--` form. */
  readonly url: string;
  /** The client address of the connection. The default belongs to no network, so that no rule for a real address applies by accident. */
  readonly client: string;
  /** Header fields by name. A list sends the field several times. A `host` here replaces that of the URL. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** The server name of the TLS handshake. Absent: the host of the URL. Empty: the client sends none. */
  readonly server_name?: string;
  /** A PEM file with the client's certificate, followed by the intermediate certificates of its issuer. Absent: the client has none. The value may be the PEM text itself, by a reference. */
  readonly client_certificate?: string;
  /** The protocols that the client of a TLS connection offers (ALPN), one or a list. Absent: http/1.1 for https, none for tls. */
  readonly alpn?: readonly string[];
  /** The listener that receives the request: an http listener, or for tls any. Absent: the listener on the URL's port, else the only one. */
  readonly listener?: string;
}

/** Conditions on a ClientHello. All of them must hold. Empty: every TLS connection. */
export interface TlsMatch {
  /** The server name that the client sends (SNI), case-insensitive: exact, or `*.example.com` for all names below. One or a list. A client that sends none does not match. With Encrypted Client Hello it is the outer name. */
  readonly server_name?: readonly string[];
  /** Protocols of which the client must offer at least one (ALPN), case-sensitive. One or a list. */
  readonly alpn?: readonly string[];
}

/** TLS settings for one server name, in place of the listener's. Those that are absent are the listener's. */
export interface TlsName {
  /** Client certificates (mTLS): which clients must have one, and who must have issued it. */
  readonly client_auth?: ClientAuth;
  /** The lowest version of TLS. */
  readonly min_version?: '1.2' | '1.3';
  /** The cipher suites, by the names of OpenSSL. */
  readonly ciphers?: readonly string[];
  /** The groups for the key exchange, most wanted first. */
  readonly groups?: readonly string[];
}

/** Selects TLS connections by their ClientHello, before anything is decrypted, and says where they go. */
export interface TlsRoute {
  /** A name that is unique in the listener. Logs and metrics show it. */
  readonly name: string;
  /** `false` disables the TLS route without deleting it: it matches no connections. Its settings are still validated. */
  readonly enabled: boolean;
  /** Conditions on a ClientHello. All of them must hold. Empty: every TLS connection. */
  readonly match: TlsMatch;
  /** `passthrough` relays the connection as it is, still encrypted: the backend has the certificate. `terminate` decrypts it with the listener's `tls`, as if no TLS route had matched. */
  readonly mode: 'passthrough' | 'terminate';
  /** The pool of these connections. Absent: the listener's. On an http listener, decrypted connections have none: they bring requests, which go to routes. */
  readonly pool?: string;
}

/** Session tickets: clients that come back resume their session without a full handshake, for up to 24 hours. */
export interface TlsTickets {
  /** `false`: no tickets are issued or accepted. Each handshake is a full one. */
  readonly enabled: boolean;
  /** Files with the keys that encrypt tickets, so that several gateways accept each other's. The first key of the first file encrypts; all of them decrypt. A file holds one key of 48 or 80 bytes, or such keys in base64, one a line. A changed file takes effect with the next handshake. Absent: the gateway makes its own keys and replaces them after 12 to 24 hours. */
  readonly key_files?: readonly string[];
}

/** The key that signs updates (TSIG, RFC 8945). The server's answers must be signed with it. */
export interface TsigKeyConfig {
  /** Its name at the server. */
  readonly name: string;
  /** Its algorithm. */
  readonly algorithm: 'hmac-sha256' | 'hmac-sha384' | 'hmac-sha512';
  /** The key itself, in base64. */
  readonly secret: string;
}

/** Refuses clients that an ACL denies: 403. */
export interface AclPolicyConfig {
  /** The policy type. */
  readonly type: 'acl';
  /** `false` disables the policy without deleting it: requests skip it. Its settings are still validated. */
  readonly enabled: boolean;
  /** The name of the ACL. */
  readonly acl: string;
}

/** Reads the whole request body into memory before later policies run and an endpoint is chosen. A slow client then occupies no endpoint, and the body can be sent again. */
export interface BufferPolicyConfig {
  /** The policy type. */
  readonly type: 'buffer';
  /** `false` disables the policy without deleting it: requests skip it. Its settings are still validated. */
  readonly enabled: boolean;
  /** Maximum size in bytes of a request body. A larger one is refused: 413. */
  readonly size: number;
}

/** A shared cache as RFC 9111 defines it: serves stored responses and stores storable ones. Policies before it see every request. Policies after it see only the requests that the cache forwards. */
export interface CachePolicyConfig {
  /** The policy type. */
  readonly type: 'cache';
  /** `false` disables the policy without deleting it: requests skip it. Its settings are still validated. */
  readonly enabled: boolean;
  /** The name of the cache that stores the responses. */
  readonly cache: string;
  /** Freshness lifetime of a response without explicit freshness and without a Last-Modified. Absent: such a response is not fresh. */
  readonly default_ttl?: number;
  /** Minimum freshness lifetime of a storable response. It overrides the response. */
  readonly min_ttl: number;
  /** Maximum freshness lifetime of a response. It overrides the response. Absent: no limit. */
  readonly max_ttl?: number;
  /** How long the cache serves a stale response while it revalidates it, if the response does not say so itself (RFC 5861 §3). It applies only to responses that were fresh for some time. */
  readonly stale_while_revalidate: number;
  /** How long the cache serves a stale response in place of an error, if the response does not say so itself (RFC 5861 §4). It applies only to responses that were fresh for some time. */
  readonly stale_if_error: number;
  /** How long the cache serves a stale response if the origin is unreachable, unless the response forbids it (RFC 9111 §4.2.4). It applies only to responses that were fresh for some time: by explicit freshness, their Last-Modified, `default_ttl` or `min_ttl`. */
  readonly stale_if_unreachable: number;
  /** Whether clients may demand fresher responses than the origin requires (Cache-Control and Pragma of requests). `ignore` stops clients from forcing every request to the origin. */
  readonly request_directives: 'obey' | 'ignore';
  /** Which responses with a Set-Cookie are stored: none, or those with explicit freshness (or `public`). Every client then gets that cookie. */
  readonly set_cookie: 'never' | 'explicit';
  /** Which 401 responses are stored: none, or those with explicit freshness. */
  readonly unauthorized: 'never' | 'explicit';
  /** Which stored responses the cache serves for requests with an Authorization field: those that permit it (`public`, `must-revalidate` or `s-maxage`), or any. */
  readonly authorization: 'explicit' | 'any';
  /** Requests that meet any of these conditions bypass the cache: it neither serves them nor stores their responses. */
  readonly bypass: readonly CacheConditionConfig[];
  /** The cache may serve requests that meet any of these conditions, but it does not store the origin's responses to them. */
  readonly no_store: readonly CacheConditionConfig[];
  /** Maximum time that a request waits for the response to an earlier request with the same key; then the cache forwards it. 0: no waiting. */
  readonly collapse_wait: number;
  /** If all clients disconnect during a fetch, the cache completes it if at most this many bytes of the body are missing. */
  readonly finish: number;
  /** Whether responses carry a Cache-Status field (RFC 9211). */
  readonly status_header: boolean;
}

/** Compresses the content of responses with a coding that the client accepts (RFC 9110 §12.5.3). */
export interface CompressPolicyConfig {
  /** The policy type. */
  readonly type: 'compress';
  /** `false` disables the policy without deleting it: requests skip it. Its settings are still validated. */
  readonly enabled: boolean;
  /** The codings to choose from. If the client accepts several with the same weight, the first of them is used. */
  readonly encodings: readonly ('zstd' | 'br' | 'gzip')[];
  /** How hard each coding works: a higher level gives fewer bytes for more processor time and memory. */
  readonly levels: CompressLevelsConfig;
  /** Responses with a shorter content are not compressed. Responses whose length is not known in advance always are. */
  readonly minimum_size: number;
  /** The media types to compress: `type/subtype`, `type/*` or `type/*+suffix`, in any case and without parameters. */
  readonly types: readonly string[];
}

/** The CORS protocol of the Fetch standard: answers preflights, and adds the CORS fields to responses. CORS fields of the backend are replaced. */
export interface CorsPolicyConfig {
  /** The policy type. */
  readonly type: 'cors';
  /** `false` disables the policy without deleting it: requests skip it. Its settings are still validated. */
  readonly enabled: boolean;
  /** The origins whose scripts may read the responses. */
  readonly origins: readonly OriginMatch[];
  /** The methods that scripts may use, case-sensitive. `*`: any. Browsers permit GET, HEAD and POST in any case. */
  readonly methods: readonly string[];
  /** The request header fields that scripts may set, besides those that browsers always permit. `*`: any, with `authorization`. */
  readonly headers: readonly string[];
  /** The response header fields that scripts may read, besides those that browsers always permit. `*`: any; not with `credentials`. */
  readonly expose_headers: readonly string[];
  /** Whether scripts may read responses to requests with cookies, Authorization or client certificates. Not with the origin `*`. */
  readonly credentials: boolean;
  /** How long a browser may use the answer to a preflight again, in whole seconds. Absent: the browser decides (5 seconds). */
  readonly max_age?: number;
  /** Whether scripts of public sites may send requests here if this is a private network: the answer to `Access-Control-Request-Private-Network`. */
  readonly private_network: boolean;
}

/** Decodes the content of requests, for backends that can't: it is forwarded without a Content-Encoding. */
export interface DecompressPolicyConfig {
  /** The policy type. */
  readonly type: 'decompress';
  /** `false` disables the policy without deleting it: requests skip it. Its settings are still validated. */
  readonly enabled: boolean;
  /** The codings to decode. Requests with any other get a 415 with an Accept-Encoding (RFC 9110 §15.5.16). */
  readonly encodings: readonly ('zstd' | 'br' | 'gzip' | 'deflate')[];
  /** Maximum size in bytes of the decoded content; 413 beyond. 0: no limit. */
  readonly max_size: number;
  /** Maximum number of decoded bytes for each received byte; 413 beyond. It applies to contents of more than 1 MiB. 0: no limit. */
  readonly max_ratio: number;
}

/** Edits header fields of requests and responses. */
export interface HeadersPolicyConfig {
  /** The policy type. */
  readonly type: 'headers';
  /** `false` disables the policy without deleting it: requests skip it. Its settings are still validated. */
  readonly enabled: boolean;
  /** Changes to header fields. The gateway first removes fields, then sets fields, then adds fields. */
  readonly request: FieldEditsConfig;
  /** Changes to header fields. The gateway first removes fields, then sets fields, then adds fields. */
  readonly response: FieldEditsConfig;
}

/** Runs a policy written in TypeScript or JavaScript, with the same hooks as the built-in policies. The gateway runs the module's code in its own process: a module can do everything that the gateway can do. */
export interface ModulePolicyConfig {
  /** The policy type. */
  readonly type: 'module';
  /** `false` disables the policy without deleting it: requests skip it. Its settings are still validated. */
  readonly enabled: boolean;
  /** Path of the module, relative to the config file: a `.ts`, `.mts`, `.js` or `.mjs` file. It exports its JSON Schema as `schema` and its policy as default. The gateway loads it when it checks the config, and loads it again whenever the file, or a file that it imports by a relative path, changes. */
  readonly module: string;
  /** The settings of the module. They must conform to the schema that the module exports. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The names of the pools that the module sends requests of its own to, for instance to an authorization service. */
  readonly pools: readonly string[];
}

/** Replaces a prefix of the path. */
export interface RewritePolicyConfig {
  /** The policy type. */
  readonly type: 'rewrite';
  /** `false` disables the policy without deleting it: requests skip it. Its settings are still validated. */
  readonly enabled: boolean;
  /** The prefix to replace, by whole segments. */
  readonly prefix: string;
  /** The new prefix. */
  readonly replacement: string;
}

/** Maps each client address to a fixed endpoint. If an endpoint is removed, only its clients move, and they spread over the others. */
export interface IpHashConfig {
  /** The strategy type. */
  readonly type: 'ip_hash';
}

/** The endpoint with the fewest active requests and tunnels relative to its weight; round-robin among equals. */
export interface LeastConnectionsConfig {
  /** The strategy type. */
  readonly type: 'least_connections';
}

/** Maps each key to a fixed endpoint by a Maglev table. It spreads keys more evenly than a hash ring, but moves a few more of them when endpoints are added or removed. */
export interface MaglevConfig {
  /** The strategy type. */
  readonly type: 'maglev';
  /** The part of a request to hash. If a request lacks it, and for connections that are not HTTP, the gateway hashes the client address. A plain string is the source. */
  readonly key: HashKey;
  /** Number of entries in the table, a prime. With at least 100 entries for each endpoint the spread is even within 1 percent. */
  readonly table_size: number;
}

/** Power of two choices: draws two endpoints by weight and takes the one with less load, which is active requests times average time to the response head, divided by the weight. */
export interface P2cConfig {
  /** The strategy type. */
  readonly type: 'p2c';
}

/** A random endpoint, with a probability proportional to its weight. */
export interface RandomConfig {
  /** The strategy type. */
  readonly type: 'random';
}

/** Maps each key to a fixed endpoint by a hash ring. When endpoints are added or removed, the minimum number of keys moves. */
export interface RingHashConfig {
  /** The strategy type. */
  readonly type: 'ring_hash';
  /** The part of a request to hash. If a request lacks it, and for connections that are not HTTP, the gateway hashes the client address. A plain string is the source. */
  readonly key: HashKey;
  /** Points on the ring for an endpoint of average weight. More points spread the keys more evenly and take more memory. With 512 points no endpoint is more than about 15 percent off its share. */
  readonly replicas: number;
}

/** Each endpoint in turn. It ignores weights, except that an endpoint of weight 0 gets no requests. */
export interface RoundRobinConfig {
  /** The strategy type. */
  readonly type: 'round_robin';
}

/** Each endpoint in turn in proportion to its weight, spread evenly: weights 5, 1, 1 give a a b a c a a. */
export interface WeightedRoundRobinConfig {
  /** The strategy type. */
  readonly type: 'weighted_round_robin';
}

/** No route may forward a request header field to a pool: the policies of the route must remove the field or set it to a fixed value. */
export interface HeaderNeverPassedInvariant {
  /** The invariant type. */
  readonly type: 'header_never_passed';
  /** The name of the field. */
  readonly header: string;
  /** The pools that the rule protects. Absent: all pools. */
  readonly pools?: readonly string[];
}

/** A pool must have a minimum number of endpoints with a weight above 0. */
export interface MinEndpointsInvariant {
  /** The invariant type. */
  readonly type: 'min_endpoints';
  /** The name of the pool. Absent: every pool. */
  readonly pool?: string;
  /** The minimum number of endpoints. */
  readonly endpoints: number;
}

/** No listener, including the admin listener, may be bound to this address or port. Exactly one of address, port and wildcard. */
export interface NeverBoundInvariant {
  /** The invariant type. */
  readonly type: 'never_bound';
  /** `host:port`, `[ipv6]:port` or `unix:/path`. A listener on all addresses of that port also violates the invariant. */
  readonly address?: string;
  /** The port, on any address. */
  readonly port?: number;
  /** All addresses of the machine, as with `0.0.0.0` and `[::]`. */
  readonly wildcard?: true;
}

/** No listener may be open to everyone. A listener that is not bound to loopback or a Unix socket needs an ACL that denies unknown clients, or every route on it needs a policy that does. The admin listener has no ACL, so it must be on loopback. */
export interface NoOpenListenerInvariant {
  /** The invariant type. */
  readonly type: 'no_open_listener';
  /** Listeners that may be open. */
  readonly except: readonly string[];
}

/** No route may be unreachable because an earlier route takes all its requests. Without this invariant such a route causes a warning. */
export interface NoUnreachableRouteInvariant {
  /** The invariant type. */
  readonly type: 'no_unreachable_route';
  /** Routes that may be unreachable. */
  readonly except: readonly string[];
}

/** A route must exist, with the given pools and policies. */
export interface RouteExistsInvariant {
  /** The invariant type. */
  readonly type: 'route_exists';
  /** The name of the route. */
  readonly route: string;
  /** The allowed pools: each pool that the route sends requests to must be in this list. */
  readonly pool?: readonly string[];
  /** Types of policies that the route must have. */
  readonly policies?: readonly string[];
}

/** All schemas in one, draft 2020-12. */
export const schema: object = {
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "GatewayConfig",
  "description": "The gateway's config: everything that one file and its includes declare.",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "$schema": {
      "description": "Where an editor finds this schema.",
      "type": "string"
    },
    "version": {
      "description": "The version of the config language.",
      "const": 1
    },
    "include": {
      "description": "Files to merge, as globs (without `**`) relative to this file. Named maps are merged. Routes, tests and invariants are appended in the order of the file names.",
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
    "acme": {
      "description": "Authorities that issue certificates by ACME, by name. `default` needs no entry: it is Let's Encrypt.",
      "type": "object",
      "additionalProperties": {
        "$ref": "#/$defs/acme"
      },
      "propertyNames": {
        "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
        "x-says": "must be a name of letters, digits, _ . and -"
      },
      "default": {}
    },
    "certificates": {
      "description": "TLS certificates by name, for the listeners.",
      "type": "object",
      "additionalProperties": {
        "$ref": "#/$defs/certificate"
      },
      "propertyNames": {
        "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
        "x-says": "must be a name of letters, digits, _ . and -"
      },
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
      "description": "Listeners by name.",
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
      "description": "Routes in order of precedence: the first route that matches a request wins.",
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
      "description": "Requests and their expected outcomes. If one fails, the config is refused.",
      "type": "array",
      "items": {
        "$ref": "#/$defs/config-test"
      },
      "default": []
    },
    "invariants": {
      "description": "Properties that every version of the config must have. If one does not hold, the config is refused.",
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
      "description": "Writes one JSON line for each exchange and each tunnel. Absent: no access log.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "path": {
          "description": "`stdout`, `stderr`, or a file to append to, relative to the config file that names it. The gateway reopens the file on SIGHUP and SIGUSR1.",
          "type": "string",
          "minLength": 1,
          "default": "stdout"
        }
      },
      "x-state": "the file that is open"
    },
    "acl": {
      "title": "AclConfig",
      "description": "An access control list of client addresses, and of client certificates. The gateway checks the deny list first, then the allow list if it is not empty, then the default.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "default": {
          "description": "The action for an address on neither list, if the allow list is empty.",
          "enum": [
            "allow",
            "deny"
          ],
          "default": "allow"
        },
        "allow": {
          "description": "Allowed networks or addresses. If the list is not empty, all other addresses are denied.",
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
          "description": "Denied networks or addresses.",
          "type": "array",
          "items": {
            "type": "string",
            "format": "cidr"
          },
          "default": []
        },
        "certificates": {
          "description": "Client certificates. If the list is not empty, clients that the other settings allow need a certificate that meets one of these conditions, too.",
          "type": "array",
          "items": {
            "$ref": "#/$defs/certificate-match"
          },
          "default": [],
          "examples": [
            [
              {
                "uri": "spiffe://example.org/ns/shop/*"
              }
            ]
          ]
        }
      }
    },
    "acme-dns": {
      "title": "AcmeDnsConfig",
      "description": "How the TXT records of `dns-01` challenges are made and removed.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "exec": {
          "description": "A program and its first arguments; no shell reads them. The gateway adds `present` or `cleanup`, the name of the record with a dot at its end, and its value. Exit code 0 is success.",
          "type": "array",
          "items": {
            "type": "string"
          },
          "minItems": 1,
          "examples": [
            [
              "/usr/local/bin/dns-record"
            ]
          ]
        },
        "webhook": {
          "$ref": "#/$defs/acme-webhook"
        },
        "update": {
          "$ref": "#/$defs/acme-update"
        },
        "wait": {
          "description": "How long the gateway waits after a record was made before the authority looks for it: as long as the name servers of the zone take to agree.",
          "type": "string",
          "format": "duration",
          "default": "10s"
        },
        "timeout": {
          "description": "Time limit for one call of the program or the webhook.",
          "type": "string",
          "format": "duration",
          "default": "1m",
          "x-above-zero": "no call could succeed"
        }
      },
      "x-exactly-one": [
        "exec",
        "webhook",
        "update"
      ]
    },
    "acme-eab": {
      "title": "AcmeEabConfig",
      "description": "Binds the account to one that you have at the authority (RFC 8555, section 7.3.4).",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "kid": {
          "description": "The key identifier that the authority gave you.",
          "type": "string",
          "minLength": 1
        },
        "hmac_key": {
          "description": "The key that it gave you, in base64url.",
          "type": "string",
          "pattern": "^[A-Za-z0-9_-]+=*$",
          "x-says": "must be in base64url",
          "x-secret": true,
          "examples": [
            "${file:secrets/eab}"
          ]
        }
      },
      "required": [
        "kid",
        "hmac_key"
      ]
    },
    "acme-update": {
      "title": "AcmeUpdateConfig",
      "description": "Dynamic updates (RFC 2136) of a zone's primary name server, over TCP.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "server": {
          "description": "The primary server of the zone: `host:port`.",
          "type": "string",
          "format": "address",
          "examples": [
            "10.0.0.53:53"
          ]
        },
        "zone": {
          "description": "The zone. Absent: the closest name above the record for which the server has an SOA record.",
          "type": "string",
          "format": "host",
          "examples": [
            "example.com"
          ]
        },
        "key": {
          "$ref": "#/$defs/tsig-key"
        }
      },
      "required": [
        "server"
      ]
    },
    "acme-webhook": {
      "title": "AcmeWebhookConfig",
      "description": "An HTTP endpoint that makes and removes records. It gets `POST <url>/present` or `POST <url>/cleanup` with `{\"fqdn\": \"_acme-challenge.example.com.\", \"value\": \"…\"}`.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "url": {
          "description": "Its URL.",
          "type": "string",
          "format": "http-url",
          "examples": [
            "https://dns.example.com/acme"
          ]
        },
        "authorization": {
          "description": "The value of the Authorization field.",
          "type": "string",
          "format": "field-value",
          "minLength": 1,
          "x-secret": true,
          "examples": [
            "${env:DNS_HOOK_AUTHORIZATION}"
          ]
        }
      },
      "required": [
        "url"
      ],
      "x-short": "url"
    },
    "acme": {
      "title": "AcmeConfig",
      "description": "An authority that issues certificates by ACME (RFC 8555). Its use means that you agree to its terms of service. The keys of the account and of the certificates are in the state directory: see `state_dir` in `reload`.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "directory": {
          "description": "The URL of the authority's directory.",
          "type": "string",
          "format": "https-url",
          "default": "https://acme-v02.api.letsencrypt.org/directory",
          "examples": [
            "https://acme-staging-v02.api.letsencrypt.org/directory"
          ]
        },
        "ca": {
          "description": "Certificates of the authority's own server to trust besides those of the system: a file, relative to this one, or the PEM text itself, by a reference.",
          "type": "string",
          "minLength": 1,
          "examples": [
            "./private-ca.pem"
          ]
        },
        "email": {
          "description": "Where the authority can reach the operator.",
          "type": "string",
          "pattern": "^[^\\s@:]+@[^\\s@]+$",
          "x-says": "must be an e-mail address"
        },
        "eab": {
          "$ref": "#/$defs/acme-eab"
        },
        "profile": {
          "description": "The profile of the certificates, where the authority has several, such as `shortlived` of Let's Encrypt. Absent: the authority's own choice.",
          "type": "string",
          "minLength": 1
        },
        "preferred_chain": {
          "description": "The common name of the root that the chain should end at, where the authority offers several chains.",
          "type": "string",
          "minLength": 1
        },
        "key_type": {
          "description": "The type of the certificates' keys.",
          "enum": [
            "p256",
            "p384",
            "rsa2048",
            "rsa4096"
          ],
          "default": "p256"
        },
        "challenges": {
          "description": "The challenges that may prove control of a name, most wanted first; after a failure, the next one is tried. `http-01` needs an http listener that the authority reaches at port 80, `tls-alpn-01` a listener with `tls` at port 443, `dns-01` the setting `dns`. A wildcard name needs `dns-01`. Absent: `dns-01` if `dns` is set, else `http-01` and `tls-alpn-01`.",
          "type": "array",
          "items": {
            "enum": [
              "http-01",
              "tls-alpn-01",
              "dns-01"
            ]
          },
          "minItems": 1,
          "uniqueItems": true
        },
        "dns": {
          "$ref": "#/$defs/acme-dns"
        }
      }
    },
    "active-check": {
      "title": "ActiveCheckConfig",
      "description": "Active health checks: the gateway checks each endpoint at a regular interval, in addition to passive health.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "`http`: the check sends a request and expects the configured response. `tcp`: the check opens a connection.",
          "enum": [
            "http",
            "tcp"
          ],
          "default": "http"
        },
        "path": {
          "description": "The path and query of the request.",
          "type": "string",
          "format": "path-and-query",
          "default": "/"
        },
        "host": {
          "description": "The Host of the request. Absent: the pool's `host`, or else the endpoint's own name or address.",
          "type": "string",
          "format": "field-value"
        },
        "method": {
          "description": "The method of the request.",
          "enum": [
            "GET",
            "HEAD"
          ],
          "default": "GET"
        },
        "status": {
          "description": "The expected statuses, single ones or ranges.",
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
          "description": "A text that the first 64 KiB of the response body must contain. Absent: any body passes.",
          "type": "string",
          "minLength": 1
        },
        "port": {
          "description": "A separate port for the checks. Absent: the endpoint's port.",
          "type": "integer",
          "minimum": 1,
          "maximum": 65535
        },
        "interval": {
          "description": "Time from the end of one check to the start of the next.",
          "type": "string",
          "format": "duration",
          "default": "10s",
          "x-reload": "keep",
          "x-above-zero": "endpoints would be checked without a pause"
        },
        "jitter": {
          "description": "The most that an interval is shortened, in percent, at random, so that the checks do not all run at the same moment.",
          "type": "integer",
          "minimum": 0,
          "maximum": 100,
          "default": 10,
          "x-reload": "keep"
        },
        "timeout": {
          "description": "Maximum time for one whole check.",
          "type": "string",
          "format": "duration",
          "default": "5s",
          "x-reload": "keep",
          "x-above-zero": "an endpoint that does not answer would never fail its check"
        },
        "healthy": {
          "description": "Successful checks in a row before an ejected endpoint is healthy again.",
          "type": "integer",
          "minimum": 1,
          "default": 2,
          "x-reload": "keep"
        },
        "unhealthy": {
          "description": "Failed checks in a row before the endpoint is ejected.",
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
      "description": "Lets clients with the token read and write the config over the admin listener (`GET /config`, `PUT /config`). The gateway writes a pushed config to the config file, so that the file and the config in effect stay the same. It refuses the push if it cannot write the file. A client that may push a config can read every file that the gateway can read, and send traffic anywhere. Absent: no pushes.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "token": {
          "description": "The token that clients send as `Authorization: Bearer TOKEN` (RFC 6750). It must be a reference, because clients with the token can read the config.",
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
          "description": "Maximum size of a pushed config. The gateway refuses a larger one.",
          "type": "string",
          "format": "size",
          "default": "1MiB",
          "x-reload": "keep"
        },
        "modules": {
          "description": "Whether a pushed config may have `module` policies. `false`: the gateway refuses such a config and does not load the modules that it names. The config in effect decides, not the pushed one.",
          "type": "boolean",
          "default": false,
          "x-reload": "keep"
        }
      },
      "required": [
        "token"
      ]
    },
    "admin": {
      "title": "AdminConfig",
      "description": "A separate listener for operators: health, metrics and the state of the gateway. Reading needs no authentication, so keep it on loopback or a private network. Actions (drain, purge, reload, rollback, …) need the `token`. Without a token the gateway accepts actions from the same machine only. Absent: no admin listener.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "address": {
          "description": "The address to listen on.",
          "type": "string",
          "format": "listen-address",
          "examples": [
            "127.0.0.1:9090"
          ]
        },
        "hosts": {
          "description": "Host names accepted in requests, exact or `*.example.com`. The gateway always accepts IP addresses, names without a dot, and names below `localhost`, `local` and `internal`. Requests for other hosts get a 421, because a page of any site could send them through its visitor's browser (DNS rebinding). `/health` and `/ready` accept any host.",
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
          "description": "The token that actions must send as `Authorization: Bearer TOKEN` (RFC 6750). It must be a reference. Absent: the token of `push`, if there is one.",
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
      "description": "A condition on a request: it has the given header field, cookie or query parameter.",
      "type": "object",
      "additionalProperties": false,
      "x-exactly-one": [
        "header",
        "cookie",
        "query"
      ],
      "properties": {
        "header": {
          "description": "The name of a header field.",
          "type": "string",
          "format": "field-name"
        },
        "cookie": {
          "description": "The name of a cookie.",
          "type": "string",
          "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
          "x-says": "must be a cookie name"
        },
        "query": {
          "description": "The name of a query parameter.",
          "type": "string",
          "minLength": 1
        },
        "value": {
          "description": "The required value. Absent: any value.",
          "type": "string"
        }
      }
    },
    "cache-disk": {
      "title": "CacheDiskConfig",
      "description": "A directory that also stores the responses of a cache. It can hold many more than memory does. The responses survive a restart, and also a crash.",
      "type": "object",
      "additionalProperties": false,
      "x-state": "every stored response",
      "properties": {
        "path": {
          "description": "The directory. No other cache may use it. The gateway creates it if it does not exist. A relative path starts at the directory of the file that contains it.",
          "type": "string",
          "minLength": 1,
          "examples": [
            "/var/cache/prozy/pages"
          ]
        },
        "max_size": {
          "description": "Maximum size in bytes of all files in the directory. The gateway evicts the oldest responses first, except those that were requested again.",
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
      "description": "The parts of a request that identify a stored response, in addition to scheme, host, path and the fields that the response's Vary names.",
      "type": "object",
      "additionalProperties": false,
      "x-state": "every stored response",
      "properties": {
        "query": {
          "description": "The query parameters that are part of the key. Absent: all of them. Empty: none.",
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
          "description": "Query parameters that are not part of the key.",
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
          "description": "Whether to ignore the order of the query parameters.",
          "type": "boolean",
          "default": false
        },
        "headers": {
          "description": "Request header fields whose values are part of the key.",
          "type": "array",
          "items": {
            "type": "string",
            "format": "field-name"
          },
          "default": []
        },
        "cookies": {
          "description": "Cookies whose values are part of the key.",
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
      "description": "A store of responses for the cache policy. Several routes may share one. Each route finds only the responses that were stored for it.",
      "type": "object",
      "additionalProperties": false,
      "x-state": "every stored response",
      "properties": {
        "max_size": {
          "description": "Maximum memory in bytes for the responses, including heads, keys and bookkeeping. The gateway evicts the least recently used responses first.",
          "type": "string",
          "format": "size",
          "default": "64MiB",
          "x-reload": "keep"
        },
        "max_entry_size": {
          "description": "Maximum size in bytes of a stored body. The gateway streams larger bodies to the client without storing them.",
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
    "certificate-match": {
      "title": "CertificateMatch",
      "description": "Conditions on a client's certificate. All of them must hold.",
      "type": "object",
      "additionalProperties": false,
      "minProperties": 1,
      "properties": {
        "uri": {
          "description": "A URI of its subjectAltName, such as a SPIFFE ID. A star at the end stands for any text.",
          "type": "string",
          "pattern": "^[^*\\s]+\\*?$",
          "x-says": "must be a URI, with a star only at its end",
          "examples": [
            "spiffe://example.org/ns/shop/*"
          ]
        },
        "dns": {
          "description": "A DNS name of its subjectAltName: exact, or `*.example.com` for all names below.",
          "type": "string",
          "format": "host-pattern"
        },
        "email": {
          "description": "An email address of its subjectAltName.",
          "type": "string",
          "minLength": 1
        },
        "subject": {
          "description": "The whole subject in the form of RFC 4514, the most specific name first, without spaces around the commas.",
          "type": "string",
          "minLength": 1,
          "examples": [
            "CN=alice,O=Example"
          ]
        },
        "issuer": {
          "description": "The whole name of its issuer, in the same form.",
          "type": "string",
          "minLength": 1
        },
        "fingerprint": {
          "description": "The SHA-256 digest of the certificate in hex, with or without colons.",
          "type": "string",
          "pattern": "^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$",
          "x-says": "must be a SHA-256 digest in hex"
        }
      }
    },
    "certificate": {
      "title": "CertificateConfig",
      "description": "A certificate with its private key: from files in PEM (`cert` and `key`), from an authority by ACME (`acme`), or from the gateway's own authority (`issuer: internal`); or a folder of such files (`dir`). A changed file, and a renewed certificate, takes effect with the next handshake; no connection is touched.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "cert": {
          "description": "The file of the certificate, followed by the intermediate certificates of its issuer. The value may be the PEM text itself, by a reference.",
          "type": "string",
          "minLength": 1,
          "examples": [
            "./tls/site.crt",
            "${file:site.crt}"
          ]
        },
        "key": {
          "description": "The file of the private key, without a passphrase. The value may be the PEM text itself, by a reference.",
          "type": "string",
          "minLength": 1,
          "examples": [
            "./tls/site.key",
            "${env:SITE_KEY}"
          ]
        },
        "dir": {
          "description": "Instead of `cert` and `key`: a folder with any number of pairs, as certbot (`NAME/fullchain.pem`, `NAME/privkey.pem`), Kubernetes (`NAME/tls.crt`, `NAME/tls.key`) and others (`NAME.crt` or `NAME.pem` with `NAME.key`, or `NAME.pem` with both) write them. Each pair is a certificate `FOLDER/NAME`; a listener that names the folder has all of them, in the order of their names. The folder is watched. A pair that cannot be used is a warning: its last version stays in effect.",
          "type": "string",
          "minLength": 1,
          "examples": [
            "/etc/letsencrypt/live",
            "./tls"
          ]
        },
        "acme": {
          "description": "The authorities that issue it, by name, in the order in which they are tried. The gateway obtains and renews it.",
          "type": "array",
          "items": {
            "type": "string"
          },
          "minItems": 1,
          "uniqueItems": true,
          "x-list": true,
          "examples": [
            "default",
            [
              "default",
              "other"
            ]
          ]
        },
        "issuer": {
          "description": "`internal`: the gateway's own authority issues it, for development and private networks. Clients must trust its root: see `prozy trust`.",
          "enum": [
            "internal"
          ]
        },
        "names": {
          "description": "The names of an issued certificate: host names, `*.example.com` for all names one level below, and IP addresses.",
          "type": "array",
          "items": {
            "type": "string",
            "format": "certificate-name"
          },
          "minItems": 1,
          "maxItems": 100,
          "uniqueItems": true,
          "x-list": true,
          "examples": [
            [
              "example.com",
              "www.example.com"
            ]
          ]
        }
      },
      "x-exactly-one": [
        "cert",
        "dir",
        "acme",
        "issuer"
      ]
    },
    "client-auth": {
      "title": "ClientAuth",
      "description": "Client certificates (mTLS): which clients must have one, and who must have issued it.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "mode": {
          "description": "`required`: every client must present a certificate. `optional`: clients may present none. In both modes a certificate that is not valid is refused. `none`: clients are not asked for one.",
          "enum": [
            "required",
            "optional",
            "none"
          ],
          "default": "required",
          "x-reload": "keep"
        },
        "ca": {
          "description": "A PEM file with the certificates of the authorities that issue client certificates. Intermediate authorities may stand there without their root. The value may be the PEM text itself, by a reference.",
          "type": "string",
          "minLength": 1,
          "x-reload": "keep",
          "examples": [
            "./tls/clients-ca.pem"
          ]
        },
        "crl": {
          "description": "PEM files with the revocation lists of the authorities, one or a list. If there are any, each authority of a client's chain needs a list that is in force.",
          "type": "array",
          "items": {
            "type": "string",
            "minLength": 1
          },
          "minItems": 1,
          "x-list": true,
          "x-reload": "keep",
          "examples": [
            "./tls/clients.crl"
          ]
        },
        "depth": {
          "description": "The most intermediate certificates between a client's certificate and an authority in `ca`.",
          "type": "integer",
          "minimum": 0,
          "maximum": 20,
          "default": 4,
          "x-reload": "keep"
        }
      }
    },
    "compress-levels": {
      "title": "CompressLevelsConfig",
      "description": "How hard each coding works: a higher level gives fewer bytes for more processor time and memory.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "zstd": {
          "description": "Level of zstd. From 9 on, each response takes more than 10 MiB of memory.",
          "type": "integer",
          "minimum": 1,
          "maximum": 12,
          "default": 3
        },
        "br": {
          "description": "Quality of Brotli. 10 and 11 take a hundred times the processor time of 4.",
          "type": "integer",
          "minimum": 0,
          "maximum": 11,
          "default": 4
        },
        "gzip": {
          "description": "Level of gzip.",
          "type": "integer",
          "minimum": 1,
          "maximum": 9,
          "default": 5
        }
      }
    },
    "config-test": {
      "title": "ConfigTest",
      "description": "A request and its expected outcome. `prozy check` runs the tests, and so does a reload before it takes effect. If a test fails, the config is refused.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "name": {
          "description": "A description of the test. The report of a failed test shows it.",
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
      "description": "Endpoints discovered through DNS. Each address of the name is a separate endpoint. Endpoints are added and removed as the DNS answers change. A plain string is the name.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "name": {
          "description": "`name:port`, or the name alone with `type: srv`. A name that ends with a dot, or that `servers` resolve, is used as written. Other names are completed by the system's search list.",
          "type": "string",
          "format": "dns-name",
          "examples": [
            "app.default.svc.cluster.local.:3000"
          ]
        },
        "type": {
          "description": "The records to query. `auto`: A, or AAAA if there is no A. `both`: A and AAAA. `srv`: SRV, whose records give ports, priorities and weights (RFC 2782), then A or AAAA of their targets.",
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
      "description": "Overrides `reload.drain` for this object, field by field. A route takes precedence over its listener. A plain duration is the deadline.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "deadline": {
          "description": "As in `reload.drain`. Absent: the value there.",
          "type": "string",
          "format": "duration",
          "x-reload": "keep",
          "x-above-zero": "`1ms` ends it at once, `action: finish` lets it go on"
        },
        "action": {
          "description": "As in `reload.drain`. Absent: the value there.",
          "enum": [
            "goodbye",
            "close",
            "finish"
          ],
          "x-reload": "keep"
        },
        "spread": {
          "description": "As in `reload.drain`. Absent: the value there.",
          "type": "string",
          "format": "duration",
          "x-reload": "keep"
        }
      },
      "x-short": "deadline"
    },
    "drain": {
      "title": "DrainConfig",
      "description": "How exchanges and streams end that the new config would not serve in the same way: how long they may continue, and what happens then. A plain duration is the deadline.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "delay": {
          "description": "How long a stopping gateway continues to accept connections and requests, so that load balancers notice the stop: `/ready` returns 503, and each response carries `Connection: close`. The deadline starts after the delay. Absent: 5s. Absent in a terminal or without an admin listener, where `/ready` does not exist: 0.",
          "type": "string",
          "format": "duration",
          "examples": [
            "10s"
          ],
          "x-reload": "keep"
        },
        "deadline": {
          "description": "How long an exchange or stream may continue after the reload. It is also the maximum duration of a graceful shutdown.",
          "type": "string",
          "format": "duration",
          "default": "60s",
          "x-reload": "keep",
          "x-above-zero": "`1ms` ends everything at once, `action: finish` ends nothing"
        },
        "action": {
          "description": "What happens at the deadline. `goodbye`: the gateway ends the stream with its protocol's own signal: a response gets `Connection: close`, a WebSocket gets the close code 1012, and a protocol without such a signal is closed. `close`: the gateway closes the stream without a signal. `finish`: there is no deadline; the stream ends by itself.",
          "enum": [
            "goodbye",
            "close",
            "finish"
          ],
          "default": "goodbye",
          "x-reload": "keep"
        },
        "spread": {
          "description": "The time before the deadline over which the gateway spreads the closes, so that clients do not all reconnect at once. It is never more than half of the deadline. 0: all close at the deadline.",
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
      "description": "One backend, or all backends that a DNS name resolves to. A plain string is the address.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "address": {
          "description": "`host:port`, `[ipv6]:port` or `unix:/path`. A host name is one endpoint. The system resolves it for each new connection.",
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
          "description": "`false` disables the endpoint without deleting it: it gets no requests and no checks, as if it were removed. Its settings are still validated.",
          "type": "boolean",
          "default": true,
          "x-reload": "keep"
        },
        "weight": {
          "description": "Its share of the load relative to the other endpoints. 0: no load. For a DNS name, the weight of each of its addresses. With `type: srv` it multiplies the weights of the records.",
          "type": "integer",
          "minimum": 0,
          "maximum": 1000,
          "default": 1,
          "x-reload": "keep"
        },
        "max_connections": {
          "description": "Maximum number of connections to the endpoint, or to each address of a name, including idle ones. 0: no limit.",
          "type": "integer",
          "minimum": 0,
          "default": 0,
          "x-reload": "keep"
        },
        "max_requests": {
          "description": "Maximum number of active requests and tunnels at the endpoint, or at each address of a name. 0: no limit.",
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
      "description": "Lets permitted clients see how the gateway handled their request. If a client from these networks sends the field, the response carries the field with listener, route, policies, pool and endpoint. Absent: off, at no cost.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "header": {
          "description": "The header field that requests the report, with any value, and that carries it in the response. A request gets no report if its route removes the field (a headers policy).",
          "type": "string",
          "format": "field-name",
          "default": "x-prozy-explain"
        },
        "allow": {
          "description": "Networks or addresses of clients that may request the report. The gateway compares them with the same client address as ACLs do.",
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
      "description": "Serves a request if no endpoint of the pool can: none is healthy, no connection succeeded, the queue is full or the wait in it was too long. It applies only if no part of the request was sent. Exactly one of pool and respond.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "pool": {
          "description": "Another pool. It may have a fallback of its own; a chain has at most three pools.",
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
      "description": "Changes to header fields. The gateway first removes fields, then sets fields, then adds fields.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "set": {
          "description": "Fields to set. Each replaces all existing values.",
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
          "description": "Fields to add. Existing values stay.",
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
          "description": "Fields to remove.",
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
          "description": "The exact value.",
          "type": "string"
        },
        "regex": {
          "description": "A regular expression that must match some part of the value. It runs in linear time.",
          "type": "string",
          "format": "safe-regex"
        },
        "present": {
          "description": "`true`: it must be present. `false`: it must be absent.",
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
      "description": "Limits of the gateway as a whole.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "connections": {
          "description": "Maximum number of client connections over all listeners. HTTP clients beyond it get a 503, TCP clients a reset. 0: as many as the file descriptors allow, at two for each connection. At the file descriptor limit the gateway refuses no client of a TCP socket: new connections wait until there is room. New connections to a Unix socket are refused.",
          "type": "integer",
          "minimum": 0,
          "default": 0
        },
        "buffer_memory": {
          "description": "Maximum memory in bytes for the request bodies that `buffer` policies hold, and for the bodies of requests that modules send to pools and of their responses. A request whose body does not fit gets a 503 with Retry-After. 0: no limit.",
          "type": "string",
          "format": "size",
          "default": "256MiB",
          "x-reload": "keep"
        },
        "compression_memory": {
          "description": "Maximum memory in bytes for the responses that `compress` policies encode at one time, and as much for the requests that `decompress` policies decode. A response beyond it is sent without a coding, a request gets a 503. 0: no limit.",
          "type": "string",
          "format": "size",
          "default": "512MiB",
          "x-reload": "keep"
        },
        "overload": {
          "$ref": "#/$defs/overload",
          "default": {}
        }
      }
    },
    "hash-key": {
      "title": "HashKey",
      "description": "The part of a request to hash. If a request lacks it, and for connections that are not HTTP, the gateway hashes the client address. A plain string is the source.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "source": {
          "description": "The client address, or the path of the request in normal form, after any rewrite, without the query.",
          "enum": [
            "client",
            "path"
          ],
          "x-reload": "keep"
        },
        "header": {
          "description": "The header field of the forwarded request whose value is hashed.",
          "type": "string",
          "format": "field-name",
          "x-reload": "keep"
        },
        "cookie": {
          "description": "The cookie whose value is hashed.",
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
      "description": "When the gateway tries an ejected endpoint again. It waits for the first pause, and doubles the pause after each failed try. If the pool has no healthy endpoint and no fallback, requests do not wait for the pauses.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "first": {
          "description": "The first pause. 0: no pauses.",
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
          "description": "Failed tries before the circuit breaker of the endpoint opens. If the pool has no healthy endpoint, the remaining number of tries limits the concurrent requests that may try this endpoint. With an open breaker one request at a time may try it, plus another one if the first takes longer than a second.",
          "type": "integer",
          "minimum": 0,
          "default": 5,
          "x-reload": "keep"
        },
        "jitter": {
          "description": "The most that a pause is shortened, in percent, at random, so that the gateway does not try all endpoints at the same moment.",
          "type": "integer",
          "minimum": 0,
          "maximum": 100,
          "default": 10,
          "x-reload": "keep"
        },
        "probe": {
          "description": "How often the gateway probes an endpoint after a failed connection attempt. A probe is a TCP connection, independent of the pauses; the endpoint is back as soon as it accepts one. 0: only requests try it. If active checks are configured, they replace the probes.",
          "type": "string",
          "format": "duration",
          "default": "1s",
          "x-reload": "keep"
        }
      }
    },
    "identity": {
      "title": "IdentityConfig",
      "description": "What the gateway tells backends about the client, the requested host and the protocol, and which of these fields it accepts from trusted proxies. HTTP only.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "send": {
          "description": "The fields that backends get: `forwarded` (RFC 7239), `x_forwarded` (X-Forwarded-For, -Host and -Proto), `both` with the same content, or `none`.",
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
          "description": "The fields that trusted proxies write. `either`: X-Forwarded-* if X-Forwarded-For is present, else Forwarded. If a proxy writes one form and passes its clients' other form through, set this to the form that the proxy writes.",
          "enum": [
            "either",
            "forwarded",
            "x_forwarded"
          ],
          "default": "either",
          "x-reload": "keep"
        },
        "port": {
          "description": "Send X-Forwarded-Port, the port of the URL that the client requested.",
          "type": "boolean",
          "default": false,
          "x-reload": "keep"
        },
        "real_ip": {
          "description": "Send X-Real-IP, the client address that ACLs check.",
          "type": "boolean",
          "default": false,
          "x-reload": "keep"
        },
        "client_cert": {
          "description": "The client's certificate for backends, as RFC 9440 defines it: `leaf` sends Client-Cert, `chain` Client-Cert-Chain too, with the intermediate certificates that the client has sent. Only a listener with `tls.client_auth` has any. Received fields of these names never pass then, not even from trusted proxies.",
          "enum": [
            "none",
            "leaf",
            "chain"
          ],
          "default": "none",
          "x-reload": "keep"
        },
        "via": {
          "description": "The messages that get a Via field: responses, requests, both or none. Via on a request turns off compression in many backends, nginx among them.",
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
          "description": "The action for identity fields of peers that are not trusted proxies, such as X-Forwarded-Prefix and X-Real-IP: `drop` or `pass`. The gateway always replaces the fields that it writes itself.",
          "enum": [
            "drop",
            "pass"
          ],
          "default": "drop",
          "x-reload": "keep"
        },
        "underscores": {
          "description": "The action for header fields with an underscore, or any other character than letters, digits and hyphens, in the name. Many frameworks treat it like the name with hyphens: `drop`, `pass`, or `refuse` with 400. Variants of names that the gateway knows, such as `Content_Length` or `X_Forwarded_For`, never pass.",
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
      "description": "A property that every config must have to take effect. `prozy check` checks it, and so does a reload before it takes effect.",
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
      "description": "Idle connections to endpoints that the gateway keeps for later requests.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "connections": {
          "description": "Maximum number of idle connections to each endpoint.",
          "type": "integer",
          "minimum": 0,
          "default": 256,
          "x-reload": "keep"
        },
        "idle": {
          "description": "How long an idle connection is kept. `Keep-Alive: timeout=N` of the endpoint can shorten it. 0: no limit.",
          "type": "string",
          "format": "duration",
          "default": "60s",
          "x-reload": "keep"
        },
        "max_age": {
          "description": "Maximum age of a connection. The gateway closes an older one when it is idle. 0: no limit.",
          "type": "string",
          "format": "duration",
          "default": "1h",
          "x-reload": "keep"
        },
        "prewarm": {
          "description": "Connections opened to each endpoint before the first request. The gateway opens them when the config takes effect, and again if fewer are left.",
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
      "description": "Limits on clients. 0 means no limit where the setting says so.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "connections": {
          "description": "Maximum number of concurrent connections. HTTP clients beyond it get a 503, TCP clients a reset. 0: no limit.",
          "type": "integer",
          "minimum": 0,
          "default": 10000,
          "x-reload": "keep"
        },
        "connections_per_client": {
          "description": "Maximum number of concurrent connections from one address. HTTP clients beyond it get a 429, TCP clients a reset. 0: no limit.",
          "type": "integer",
          "minimum": 0,
          "default": 0,
          "x-reload": "keep"
        },
        "handshakes": {
          "description": "Maximum number of TLS handshakes at once: each holds up to 100 KiB. Further ones wait in order of arrival, within `timeouts.handshake`; while some wait, a handshake whose client has not finished it within a second is ended. 0: no limit.",
          "type": "integer",
          "minimum": 0,
          "default": 1000,
          "x-reload": "keep"
        },
        "header_size": {
          "description": "Maximum size in bytes of a request head; 431 beyond.",
          "type": "string",
          "format": "size",
          "default": "16KiB",
          "x-reload": "keep"
        },
        "header_count": {
          "description": "Maximum number of fields in a request head; 431 beyond.",
          "type": "integer",
          "minimum": 1,
          "maximum": 10000,
          "default": 100,
          "x-reload": "keep"
        },
        "uri_size": {
          "description": "Maximum size in bytes of a request target; 414 beyond.",
          "type": "string",
          "format": "size",
          "default": "8KiB",
          "x-reload": "keep"
        },
        "body_size": {
          "description": "Maximum size in bytes of a request body; 413 beyond. 0: no limit.",
          "type": "string",
          "format": "size",
          "default": "0",
          "x-reload": "keep"
        }
      }
    },
    "listener-timeouts": {
      "title": "ListenerTimeouts",
      "description": "Timeouts for clients.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "handshake": {
          "description": "Maximum time for the TLS handshake, or for the ClientHello of a connection that is passed through, from the start of the connection; then the gateway closes it.",
          "type": "string",
          "format": "duration",
          "default": "10s",
          "x-reload": "keep",
          "x-above-zero": "a client that sends nothing would hold its connection for ever"
        },
        "header": {
          "description": "Maximum time for the whole request head, from its first byte (or from the start of the connection); then 408.",
          "type": "string",
          "format": "duration",
          "default": "10s",
          "x-reload": "keep",
          "x-above-zero": "a client that sends nothing would hold its connection for ever"
        },
        "body": {
          "description": "Maximum time between two parts of a request body; then 408. 0: no limit.",
          "type": "string",
          "format": "duration",
          "default": "60s",
          "x-reload": "keep"
        },
        "idle": {
          "description": "Maximum time between two requests on a connection; then the gateway closes it. 0: no limit.",
          "type": "string",
          "format": "duration",
          "default": "75s",
          "x-reload": "keep"
        },
        "send": {
          "description": "Maximum time in which the client reads no byte of the pending data; then the gateway aborts the connection. 0: no limit.",
          "type": "string",
          "format": "duration",
          "default": "60s",
          "x-reload": "keep"
        }
      }
    },
    "listener-tls": {
      "title": "ListenerTls",
      "description": "TLS for the clients of a listener.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "certificates": {
          "description": "The certificates by name; the name of a folder stands for all certificates in it. The server name that a client asks for (SNI) chooses among them: an exact name first, then a wildcard. Certificates with the same names and keys of different types (ECDSA and RSA) go together: each client gets the one that it can use.",
          "type": "array",
          "items": {
            "type": "string"
          },
          "minItems": 1,
          "uniqueItems": true,
          "x-reload": "keep"
        },
        "acme": {
          "description": "Obtains a certificate for each host of the listener's routes, from these authorities, by name, in the order in which they are tried. `default` is Let's Encrypt unless `acme` has another of that name. Until the first certificate is there, a self-signed one is used.",
          "type": "array",
          "items": {
            "type": "string"
          },
          "minItems": 1,
          "uniqueItems": true,
          "x-list": true,
          "x-reload": "keep",
          "examples": [
            "default"
          ]
        },
        "issuer": {
          "description": "`internal`: the same from the gateway's own authority, for development and private networks. Clients must trust its root: see `prozy trust`.",
          "enum": [
            "internal"
          ],
          "x-reload": "keep"
        },
        "on_demand": {
          "$ref": "#/$defs/on-demand"
        },
        "unknown_name": {
          "description": "For clients that ask for a server name that no certificate has: `default` gives them the first certificate, `refuse` ends the handshake (alert unrecognized_name). Clients that send no server name always get the first certificate.",
          "enum": [
            "default",
            "refuse"
          ],
          "default": "default",
          "x-reload": "keep"
        },
        "min_version": {
          "description": "The lowest version of TLS. There is none below 1.2 (RFC 8996).",
          "enum": [
            "1.2",
            "1.3"
          ],
          "default": "1.2",
          "x-reload": "keep"
        },
        "ciphers": {
          "description": "The cipher suites, by the names of OpenSSL. Absent: those that Mozilla recommends for general-purpose servers (intermediate), all with forward secrecy and authenticated encryption.",
          "type": "array",
          "items": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_+-]+$",
            "x-says": "must be the name of a cipher suite"
          },
          "minItems": 1,
          "x-reload": "keep",
          "examples": [
            [
              "TLS_AES_128_GCM_SHA256",
              "ECDHE-ECDSA-AES128-GCM-SHA256"
            ]
          ]
        },
        "groups": {
          "description": "The groups for the key exchange, most wanted first. X25519MLKEM768 withstands quantum computers.",
          "type": "array",
          "items": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]+$",
            "x-says": "must be the name of a group"
          },
          "minItems": 1,
          "default": [
            "X25519MLKEM768",
            "X25519",
            "P-256",
            "P-384"
          ],
          "x-reload": "keep"
        },
        "client_auth": {
          "$ref": "#/$defs/client-auth"
        },
        "names": {
          "description": "Settings of their own for some server names: exact, or `*.example.com` for all names below. A connection is bound to the settings of the server name that the client sent: a request for a host with other settings gets a 421.",
          "type": "object",
          "additionalProperties": {
            "$ref": "#/$defs/tls-name"
          },
          "propertyNames": {
            "format": "host-pattern"
          },
          "default": {},
          "x-reload": "keep",
          "examples": [
            {
              "admin.example.com": {
                "client_auth": {
                  "ca": "./tls/staff-ca.pem"
                }
              }
            }
          ]
        },
        "tickets": {
          "$ref": "#/$defs/tls-tickets",
          "default": {}
        }
      }
    },
    "listener": {
      "title": "ListenerConfig",
      "description": "An address on which the gateway accepts client connections.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "address": {
          "description": "`host:port`, `[ipv6]:port` or `unix:/path`. The address identifies the listening socket: renaming the listener keeps the socket. Port 0 takes any free port. The gateway replaces the file of a Unix socket if no process listens on it.",
          "type": "string",
          "format": "listen-address",
          "examples": [
            "0.0.0.0:8080",
            "[::]:8080",
            "unix:/run/prozy.sock"
          ]
        },
        "enabled": {
          "description": "`false` disables the listener without deleting it: its address is not opened. Its settings are still validated.",
          "type": "boolean",
          "default": true,
          "x-reload": "keep"
        },
        "protocol": {
          "description": "`http` handles requests by the routes. `tcp` relays each connection to a pool, byte for byte.",
          "enum": [
            "http",
            "tcp"
          ],
          "default": "http",
          "x-reload": "keep"
        },
        "pool": {
          "description": "The pool of a tcp listener. With `tls_routes`: the pool of TLS connections that no TLS route matches; absent, they are refused (alert unrecognized_name).",
          "type": "string",
          "x-reload": "keep"
        },
        "tls": {
          "$ref": "#/$defs/listener-tls"
        },
        "tls_routes": {
          "description": "Rules in order of precedence that select TLS connections by server name (SNI) and protocols (ALPN), and pass them through to pools without decrypting them. Connections that match none are decrypted if the listener has `tls`.",
          "type": "array",
          "items": {
            "$ref": "#/$defs/tls-route"
          },
          "default": [],
          "x-reload": "keep",
          "examples": [
            [
              {
                "name": "db",
                "match": {
                  "server_name": "db.example.com"
                },
                "pool": "db"
              }
            ]
          ]
        },
        "plain_pool": {
          "description": "The pool of connections of a tcp listener that do not begin with TLS, although the listener has `tls` or `tls_routes`. Absent: they are reset.",
          "type": "string",
          "x-reload": "keep"
        },
        "trusted_proxies": {
          "description": "Networks of trusted proxies in front of the gateway. The gateway accepts Forwarded, X-Forwarded-* and other identity fields from them. From all other peers it replaces or drops these fields.",
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
          "description": "The ACL that clients must pass. Denied HTTP clients get a 403, denied TCP clients a reset.",
          "type": "string",
          "x-reload": "keep"
        },
        "policies": {
          "description": "The policies of every route of an http listener, outermost first: they come before each route's own. Their response hooks also see what the gateway answers before it has found a route, such as a 404. A cache belongs to a route.",
          "type": "array",
          "items": {
            "$ref": "#/$defs/policy"
          },
          "default": [],
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
      "description": "Logs about the gateway and its traffic.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "level": {
          "description": "The lowest level that the application log (on stderr) shows.",
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
      "description": "Conditions on a request. All of them must hold. Empty: every request.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "host": {
          "description": "The requested host, without port and case-insensitive: exact, or `*.example.com` for all names below. One or a list.",
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
          "description": "The methods, case-sensitive.",
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
          "description": "Header fields by name, case-insensitive.",
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
          "description": "Query parameters by name, decoded. If a name occurs several times, the first value counts.",
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
      "description": "Sends a copy of each forwarded request to another pool too, with the field X-Prozy-Mirror: 1. The gateway discards the response to the copy, and the client sees no difference. It copies requests of all methods, including those that change state. It sends each copy once, within the timeouts of its pool. It does not copy upgrade requests.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "pool": {
          "description": "The pool that gets the copies.",
          "type": "string"
        },
        "share": {
          "description": "Percent of the requests to copy, chosen at random.",
          "type": "number",
          "minimum": 0,
          "maximum": 100,
          "default": 100
        },
        "concurrency": {
          "description": "Maximum number of copies under way, over all generations. Copies beyond it are dropped and counted.",
          "type": "integer",
          "minimum": 1,
          "default": 100
        },
        "body_size": {
          "description": "Maximum body size in bytes of a copied request. The gateway sends the copy when the whole body has arrived. Requests with larger bodies are not copied; they are counted.",
          "type": "string",
          "format": "size",
          "default": "64KiB"
        }
      },
      "required": [
        "pool"
      ]
    },
    "on-demand": {
      "title": "OnDemandConfig",
      "description": "Certificates for server names that no certificate has, obtained when a client first asks for one. The handshake waits.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "ask": {
          "description": "A URL that says which names may have a certificate: `GET <url>?domain=<name>`. A 2xx status allows it. Any other is a refusal, which is remembered for a minute; 5xx is none of both.",
          "type": "string",
          "format": "http-url",
          "examples": [
            "http://127.0.0.1:9000/may-have-certificate"
          ]
        },
        "names": {
          "description": "Maximum number of names in memory. Beyond it, the one that was not used for the longest time is dropped; its certificate stays in the state directory.",
          "type": "integer",
          "minimum": 1,
          "maximum": 100000,
          "default": 10000
        },
        "rate": {
          "description": "Maximum number of new names in `per`. Handshakes with more are refused.",
          "type": "integer",
          "minimum": 1,
          "default": 10
        },
        "per": {
          "description": "The time to which `rate` refers.",
          "type": "string",
          "format": "duration",
          "default": "1m",
          "x-above-zero": "there would be no limit"
        },
        "wait": {
          "description": "How long a handshake waits for a certificate. Afterwards the order goes on without it. It counts in place of the `handshake` time limit of the listener.",
          "type": "string",
          "format": "duration",
          "default": "20s"
        }
      },
      "required": [
        "ask"
      ],
      "x-short": "ask"
    },
    "origin-match": {
      "title": "OriginMatch",
      "description": "A condition on the Origin of a request. A plain string is an origin.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "origin": {
          "description": "An exact origin; or `https://*.example.com`, where the star stands for one or more labels; or `*` for any origin; or `\"null\"` for the origin of sandboxed documents and files.",
          "type": "string",
          "format": "origin"
        },
        "regex": {
          "description": "A regular expression that must match the whole origin. It begins with ^ and ends with $, and runs in linear time.",
          "type": "string",
          "format": "safe-regex"
        }
      },
      "x-short": "origin",
      "x-exactly-one": [
        "origin",
        "regex"
      ]
    },
    "overload": {
      "title": "OverloadConfig",
      "description": "Overload protection of the gateway itself. While it is overloaded, new requests get a 503 with Retry-After, new tcp connections get a reset, and `/ready` reports it. Exchanges under way continue.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "loop_delay": {
          "description": "The event loop delay that counts as overload. The overload ends below half of it. 0: off.",
          "type": "string",
          "format": "duration",
          "default": "0s",
          "x-reload": "keep",
          "examples": [
            "250ms"
          ]
        },
        "memory": {
          "description": "The resident memory of the process that counts as overload. The overload ends at nine tenths of it. 0: off.",
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
      "description": "Health derived from the traffic itself. One failed connection attempt ejects the endpoint at once. Other failures eject it only after several in a row.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "failures": {
          "description": "Failed exchanges in a row before the endpoint is ejected. Timeouts, resets, responses that are not HTTP, and the failures listed below count. 0: they never eject it.",
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
          "description": "A response whose head takes longer than this counts as a failure. 0: off.",
          "type": "string",
          "format": "duration",
          "default": "0s",
          "x-reload": "keep"
        },
        "max_ejected": {
          "description": "Percent of a pool's endpoints that failed exchanges may eject at a time, so that a fault common to all endpoints does not eject the whole pool. It does not limit ejections by failed connection attempts and failed checks.",
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
      "description": "A condition on the path, as a decoding backend reads it (see `paths` of the listener). A plain string is a prefix.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "exact": {
          "description": "The exact path.",
          "type": "string",
          "pattern": "^/",
          "x-says": "must begin with a slash"
        },
        "prefix": {
          "description": "A path and all paths below it, by whole segments: `/v1` matches `/v1` and `/v1/x`, not `/v10`. `*`, `:id` and `{id}` stand for themselves and cause a warning: use `regex`.",
          "type": "string",
          "pattern": "^/",
          "x-says": "must begin with a slash"
        },
        "regex": {
          "description": "A regular expression that must match some part of the path. Anchor it with ^ and $. It runs in linear time.",
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
      "description": "How the gateway reads request paths. Rules see a path as a decoding backend reads it. With a `…_for_rules` value the gateway still forwards the path as received. A dot segment that only some backends see (`/..%2Fadmin`, `/..;/admin`) is refused with 400 unless the setting for it is `keep`.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "encoded_slash": {
          "description": "How to treat `%2F` and `%5C`. `decode_for_rules`: rules see a slash, backends get them as received. `decode`: backends get a slash too. `keep`: an ordinary character. `refuse`: 400.",
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
          "description": "How to treat `//`. `merge_for_rules`: rules see one slash, backends get them as received. `merge`: backends get one slash too. `keep`: an empty segment. `refuse`: 400.",
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
          "description": "How to treat `;` and the rest of its segment, as in `/a;v=1/b`. `remove_for_rules`: rules do not see them, backends get them as received. `remove`: backends do not get them either. `keep`: ordinary characters. `refuse`: 400.",
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
          "description": "How to treat encoded control characters, `%01` to `%1F` and `%7F`. `refuse`: 400. `keep`: backends get them as received. `%00` is always refused.",
          "enum": [
            "refuse",
            "keep"
          ],
          "default": "refuse",
          "x-reload": "keep"
        },
        "raw_utf8": {
          "description": "How to treat characters in a request target that are not ASCII and not percent-encoded. `refuse`: 400. `encode`: valid UTF-8 is percent-encoded, for rules and for backends; other bytes are refused.",
          "enum": [
            "refuse",
            "encode"
          ],
          "default": "refuse",
          "x-reload": "keep"
        },
        "send": {
          "description": "The form of the path that backends get. `normal`: dot segments are resolved, and encoded letters, digits and `-._~` are decoded. `received`: the path as received, for backends that verify signatures over it. Decoding, merging and removing then apply to rules only, and a path that is not in normal form is not cached. A path that a policy rewrites is always sent in normal form.",
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
      "description": "A processing step that a route applies to its requests and responses.",
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
          "$ref": "#/$defs/buffer-policy"
        },
        {
          "$ref": "#/$defs/cache-policy"
        },
        {
          "$ref": "#/$defs/compress-policy"
        },
        {
          "$ref": "#/$defs/cors-policy"
        },
        {
          "$ref": "#/$defs/decompress-policy"
        },
        {
          "$ref": "#/$defs/headers-policy"
        },
        {
          "$ref": "#/$defs/module-policy"
        },
        {
          "$ref": "#/$defs/rewrite-policy"
        }
      ]
    },
    "pool-dns": {
      "title": "PoolDnsConfig",
      "description": "How the gateway resolves endpoints that are DNS names (`dns`). An empty answer, an error or a timeout keeps the last known addresses.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "servers": {
          "description": "The DNS servers, each an IP address with an optional port. Absent: the system's.",
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
          "description": "Maximum time for all queries about one name.",
          "type": "string",
          "format": "duration",
          "default": "5s",
          "x-reload": "keep"
        },
        "min_ttl": {
          "description": "Minimum time between two resolutions of a name, for any record TTL and after failures.",
          "type": "string",
          "format": "duration",
          "default": "1s",
          "x-reload": "keep"
        },
        "max_ttl": {
          "description": "Maximum time between two resolutions of a name.",
          "type": "string",
          "format": "duration",
          "default": "5m",
          "x-reload": "keep"
        },
        "jitter": {
          "description": "The most that the time between two resolutions is lengthened, in percent, at random, so that several gateways do not query at the same moment.",
          "type": "integer",
          "minimum": 0,
          "maximum": 100,
          "default": 10,
          "x-reload": "keep"
        },
        "hold": {
          "description": "How long an address stays after the last answer that contained it. Use it for servers that return a changing subset of many addresses. 0: the first answer without the address removes it.",
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
      "description": "How the gateway determines the health of endpoints.",
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
          "description": "Percent of endpoints. While fewer are healthy, the gateway sends requests to all endpoints, because the healthy ones would break under the load. 0: never.",
          "type": "integer",
          "minimum": 0,
          "maximum": 100,
          "default": 0,
          "x-reload": "keep"
        },
        "slow_start": {
          "description": "How long an endpoint that is new or healthy again ramps up to its full share. 0: no ramp.",
          "type": "string",
          "format": "duration",
          "default": "0s",
          "x-reload": "keep"
        }
      }
    },
    "pool-hedge": {
      "title": "PoolHedgeConfig",
      "description": "Hedging: if the first attempt is slow, the gateway starts a second one at another endpoint and uses the first response. Only for idempotent requests without a body, and within the retry budget.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "delay": {
          "description": "How long to wait for the response head of the first attempt before the second starts.",
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
      "description": "Limits on responses of backends. A response beyond a limit becomes a 502.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "header_size": {
          "description": "Maximum size in bytes of a response head.",
          "type": "string",
          "format": "size",
          "default": "64KiB",
          "x-reload": "keep"
        },
        "header_count": {
          "description": "Maximum number of fields in a response head.",
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
      "description": "Queue of requests and tcp connections that wait for an endpoint: every healthy endpoint is at its limit, or none is healthy and other requests are trying them.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "depth": {
          "description": "Maximum length of the queue. Requests beyond it get a 503 with Retry-After. 0: no queue.",
          "type": "integer",
          "minimum": 0,
          "default": 100,
          "x-reload": "keep"
        },
        "wait": {
          "description": "Maximum wait in the queue; then the request gets a 503 with Retry-After.",
          "type": "string",
          "format": "duration",
          "default": "5s",
          "x-reload": "keep",
          "x-above-zero": "for no waiting, give `depth: 0`"
        },
        "order": {
          "description": "The order of service: first in, first out; or last in, first out while the queue is more than half full, because the clients of the newest requests are most likely still connected.",
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
      "description": "Retries of a request whose first attempt failed before any part of a response reached the client. Once any part of the request was sent, only idempotent requests (RFC 9110 §9.2.2) are retried, unless `non_idempotent` is set.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "attempts": {
          "description": "Maximum number of retries. Each goes to an endpoint not yet tried, as long as there is one.",
          "type": "integer",
          "minimum": 0,
          "maximum": 10,
          "default": 2,
          "x-reload": "keep"
        },
        "on": {
          "description": "The failures to retry after: no connection, a connection that broke before the response, a timeout, a response that is not HTTP. Absent: all but `timeout`, and `timeout` too if per_try_timeout is set.",
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
          "description": "Statuses after which a request that may be repeated is retried at another endpoint. The client gets the last response. The gateway does not retry at an endpoint that responded with Retry-After.",
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
        "non_idempotent": {
          "description": "Whether requests that are not idempotent (POST, PATCH and others) are retried like idempotent ones. Only for backends that recognise a repeated request: one whose response was lost may be processed twice.",
          "type": "boolean",
          "default": false,
          "x-reload": "keep"
        },
        "per_try_timeout": {
          "description": "Maximum time for the response head in each attempt; then the gateway retries. 0: the first_byte timeout applies.",
          "type": "string",
          "format": "duration",
          "default": "0s",
          "x-reload": "keep"
        },
        "body_size": {
          "description": "Maximum size in bytes of a request body that the gateway buffers until the response starts, so that it can retry requests. 0: no buffering. A body that the `buffer` policy has read is sent again whatever its size.",
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
      "description": "Timeouts for backends.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "connect": {
          "description": "Maximum time to establish a connection; then the gateway tries another endpoint, or the client gets a 504.",
          "type": "string",
          "format": "duration",
          "default": "5s",
          "x-reload": "keep",
          "x-above-zero": "an endpoint that does not answer would never be given up"
        },
        "first_byte": {
          "description": "Maximum time from the end of the request to the response head; then the client gets a 504. 0: no limit.",
          "type": "string",
          "format": "duration",
          "default": "60s",
          "x-reload": "keep"
        },
        "idle": {
          "description": "Maximum time without a byte while a body is under way: received from a backend, or accepted by it. 0: no limit.",
          "type": "string",
          "format": "duration",
          "default": "60s",
          "x-reload": "keep"
        },
        "stream": {
          "description": "Maximum time without a byte of a `text/event-stream`, in place of `idle`. 0: no limit.",
          "type": "string",
          "format": "duration",
          "default": "0s",
          "x-reload": "keep"
        },
        "tunnel": {
          "description": "Maximum time without a byte in either direction of a tunnel, which is an upgraded connection or a connection of a tcp listener. 0: no limit.",
          "type": "string",
          "format": "duration",
          "default": "0s",
          "x-reload": "keep"
        },
        "total": {
          "description": "Maximum time for a request with all its attempts and pauses, from its head to the last byte of the response. Then the client gets a 504, or the gateway aborts its connection if the response had started. 0: no limit.",
          "type": "string",
          "format": "duration",
          "default": "0s",
          "x-reload": "keep"
        }
      }
    },
    "pool-tls": {
      "title": "PoolTls",
      "description": "TLS for the connections to the endpoints, health checks included. `true` stands for the defaults: the endpoint's certificate must be valid, have the endpoint's name, and lead to a root of the system.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "enabled": {
          "description": "`false` connects without TLS. The other settings are still validated.",
          "type": "boolean",
          "default": true,
          "x-reload": "keep"
        },
        "ca": {
          "description": "The file of the CA certificates in PEM: the endpoint's certificate must lead to one of them. The value may be the PEM text itself, by a reference. Absent: the roots of the system. A changed file takes effect with the next connection.",
          "type": "string",
          "minLength": 1,
          "x-reload": "keep",
          "examples": [
            "./tls/ca.crt",
            "${file:ca.crt}"
          ]
        },
        "server_name": {
          "description": "The name that is sent (SNI) and that the endpoint's certificate must have: a host name or an IP address. `from_host`: the host that the endpoint gets in the request; each name has connections of its own. Absent: the endpoint's DNS name or IP address as written.",
          "type": "string",
          "format": "server-name",
          "x-reload": "keep",
          "examples": [
            "app.internal",
            "from_host"
          ]
        },
        "certificate": {
          "description": "The client certificate for endpoints that ask for one, by its name in `certificates`.",
          "type": "string",
          "x-reload": "keep"
        },
        "verify": {
          "description": "`false` accepts any certificate with any name, so that the connection is encrypted to an unknown peer. `pins` still count.",
          "type": "boolean",
          "default": true,
          "x-reload": "keep"
        },
        "pins": {
          "description": "The public keys that the endpoint's certificate may have, each as the SHA-256 of its SubjectPublicKeyInfo in base64. They count in addition to the verification. Empty: any key.",
          "type": "array",
          "items": {
            "type": "string",
            "pattern": "^[A-Za-z0-9+/]{43}=$",
            "x-says": "must be a SHA-256 in base64: 44 characters"
          },
          "uniqueItems": true,
          "default": [],
          "x-reload": "keep",
          "examples": [
            [
              "YLh1dUR9y6Kja30RrAn7JKnbQG/uEtLMkBgFF2Fuihg="
            ]
          ]
        },
        "alpn": {
          "description": "The protocols that connections of tcp listeners offer (ALPN), most wanted first. Connections of http listeners offer `http/1.1`.",
          "type": "array",
          "items": {
            "type": "string",
            "pattern": "^[\\x21-\\x7e]{1,255}$",
            "x-says": "must be the name of a protocol"
          },
          "uniqueItems": true,
          "maxItems": 16,
          "default": [],
          "x-reload": "keep",
          "examples": [
            [
              "postgresql"
            ]
          ]
        },
        "min_version": {
          "description": "The lowest version of TLS. There is none below 1.2 (RFC 8996).",
          "enum": [
            "1.2",
            "1.3"
          ],
          "default": "1.2",
          "x-reload": "keep"
        },
        "ciphers": {
          "description": "The cipher suites, by the names of OpenSSL. Absent: those that Mozilla recommends (intermediate), all with forward secrecy and authenticated encryption.",
          "type": "array",
          "items": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_+-]+$",
            "x-says": "must be the name of a cipher suite"
          },
          "minItems": 1,
          "x-reload": "keep",
          "examples": [
            [
              "TLS_AES_128_GCM_SHA256",
              "ECDHE-ECDSA-AES128-GCM-SHA256"
            ]
          ]
        },
        "groups": {
          "description": "The groups for the key exchange, most wanted first. X25519MLKEM768 withstands quantum computers.",
          "type": "array",
          "items": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]+$",
            "x-says": "must be the name of a group"
          },
          "minItems": 1,
          "default": [
            "X25519MLKEM768",
            "X25519",
            "P-256",
            "P-384"
          ],
          "x-reload": "keep"
        }
      },
      "x-short": "enabled"
    },
    "pool": {
      "title": "PoolConfig",
      "description": "A set of endpoints that serve the same requests.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "renamed_from": {
          "description": "The previous name of this pool. With it the endpoints keep their admin state (`prozy drain`, `disable`), health, load and connections, and active streams continue. It has no effect after that reload, so the next edit may remove it.",
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
          "description": "Faults in responses that the gateway tolerates instead of responding with a 502. `bare_lf`: a line of the head ends in LF alone. `folded_lines`: a field continues on the next line, which begins with white space. `space_before_colon`: white space between a field's name and its colon. `repeated_content_length`: several Content-Length fields with the same value. `space_after_chunk_size`: white space at the end of a chunk size line. `status_above_599`: a status from 600 to 999; it counts as 5xx. The client gets the response in strict form.",
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
          "description": "The Host that endpoints get, also in checks. `preserve`: the client's (in checks the endpoint's). `endpoint`: the endpoint's DNS name or address as written, without the default port (80, with `tls` 443). Otherwise a fixed host, with or without a port. X-Forwarded-Host and Forwarded carry the client's host. To use a host named preserve or endpoint, write it with a port.",
          "type": "string",
          "format": "backend-host",
          "default": "preserve",
          "x-reload": "keep",
          "examples": [
            "endpoint",
            "my-app.example.com"
          ]
        },
        "tls": {
          "$ref": "#/$defs/pool-tls"
        },
        "max_connections": {
          "description": "Maximum number of connections to all endpoints together, including idle ones. Requests beyond it wait in the queue. 0: no limit.",
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
          "description": "Maximum number of active requests and tunnels at all endpoints together. Requests beyond it wait in the queue. 0: no limit.",
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
      "description": "Redirects the client. The given parts replace those of the request's URL. The other parts stay, including the query.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "status": {
          "description": "The redirect status. It determines whether the redirect is permanent and whether the method stays.",
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
          "description": "The new scheme.",
          "enum": [
            "http",
            "https"
          ]
        },
        "host": {
          "description": "The new host.",
          "type": "string",
          "format": "host"
        },
        "port": {
          "description": "The new port.",
          "type": "integer",
          "minimum": 1,
          "maximum": 65535
        },
        "path": {
          "description": "The new path. It replaces the whole path of the request, not a prefix. Absent: the path stays.",
          "type": "string",
          "format": "path"
        }
      }
    },
    "reload": {
      "title": "ReloadConfig",
      "description": "How a changed config file takes effect.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "watch": {
          "description": "Whether file changes take effect automatically. false: the gateway rereads the files only on SIGHUP, on `prozy reload` and on a push.",
          "type": "boolean",
          "default": true,
          "x-reload": "keep"
        },
        "settle": {
          "description": "How long a file that is written in place must stay unchanged before the gateway reads it, because half of a file can be valid. It applies to config files and to files that they refer to. A file replaced by a rename, or a link with a new target, is read at once. SIGHUP, `prozy reload` and a push do not wait.",
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
          "description": "Maximum number of concurrent generations, including the current one. Beyond it the gateway ends the exchanges of the oldest generation at once, with their protocol's goodbye and a warning in the log.",
          "type": "integer",
          "minimum": 2,
          "maximum": 1000,
          "default": 20,
          "x-reload": "keep"
        },
        "state_dir": {
          "description": "Directory, relative to the config file, for the configs that were in effect: for `prozy history`, `prozy rollback`, and a start with an invalid file. The gateway creates it if it does not exist. It stores references as written, never the values behind them. The keys of certificates that the gateway obtains are in it, too. Absent: no history, and such keys are in a directory of the user. `--state-dir` and PROZY_STATE_DIR take precedence.",
          "type": "string",
          "minLength": 1,
          "x-reload": "keep"
        },
        "history": {
          "description": "How many configs `state_dir` keeps.",
          "type": "integer",
          "minimum": 1,
          "maximum": 1000,
          "default": 10,
          "x-reload": "keep"
        },
        "start_from_last_good": {
          "description": "Whether the gateway may start with the last config that was in effect, from `state_dir`, if the file is invalid. The setting in that stored config decides. `--no-last-good` always forbids it.",
          "type": "boolean",
          "default": true,
          "x-reload": "keep"
        },
        "tightened": {
          "description": "What happens to active exchanges and streams that the new config would refuse: an ACL denies the client, or a lower connection limit of the listener leaves no room for it (the newest connections are over the limit). `drain`: they are drained like exchanges of a removed route. `cut`: they end at once (WebSocket code 1008). `keep`: they continue without a deadline.",
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
      "description": "A fixed response.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "status": {
          "description": "The status.",
          "type": "integer",
          "minimum": 200,
          "maximum": 599,
          "default": 200
        },
        "headers": {
          "description": "The header fields.",
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
          "description": "The content.",
          "type": "string",
          "default": ""
        }
      }
    },
    "retry-backoff": {
      "title": "RetryBackoffConfig",
      "description": "Pauses before the second and later retries. Each pause is random, between zero and a bound that doubles. The first retry follows at once.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "first": {
          "description": "The first bound. 0: no pauses.",
          "type": "string",
          "format": "duration",
          "default": "25ms",
          "x-reload": "keep"
        },
        "max": {
          "description": "The largest bound.",
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
      "description": "Maximum number of concurrent retries, so that retries do not overload a pool in trouble. A retry beyond the budget waits a few times, with the pauses of the backoff, and then gives up.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "share": {
          "description": "Percent of the pool's active requests.",
          "type": "integer",
          "minimum": 0,
          "maximum": 100,
          "default": 50,
          "x-reload": "keep"
        },
        "min": {
          "description": "The number of retries that is always allowed.",
          "type": "integer",
          "minimum": 0,
          "default": 10,
          "x-reload": "keep"
        }
      }
    },
    "route-limits": {
      "title": "RouteLimitsConfig",
      "description": "Limits for requests of this route. They override the limits of the listener and may be higher. Absent: the value of the listener.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "body_size": {
          "description": "Maximum size in bytes of a request body; 413 beyond. 0: no limit.",
          "type": "string",
          "format": "size",
          "x-reload": "keep"
        }
      }
    },
    "route-retries": {
      "title": "RouteRetriesConfig",
      "description": "Retries of requests of this route. They override the pool's `retries`; backoff and budget are the pool's. Absent: the value of the pool.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "attempts": {
          "description": "Maximum number of retries. Each goes to an endpoint not yet tried, as long as there is one.",
          "type": "integer",
          "minimum": 0,
          "maximum": 10,
          "x-reload": "keep"
        },
        "on": {
          "description": "The failures to retry after: no connection, a connection that broke before the response, a timeout, a response that is not HTTP. Absent: the value of the pool.",
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
          "description": "Statuses after which a request that may be repeated is retried at another endpoint. The client gets the last response. The gateway does not retry at an endpoint that responded with Retry-After.",
          "type": "array",
          "items": {
            "type": "integer",
            "minimum": 100,
            "maximum": 999
          },
          "x-reload": "keep"
        },
        "non_idempotent": {
          "description": "Whether requests that are not idempotent (POST, PATCH and others) are retried like idempotent ones. Only for backends that recognise a repeated request: one whose response was lost may be processed twice.",
          "type": "boolean",
          "x-reload": "keep"
        },
        "per_try_timeout": {
          "description": "Maximum time for the response head in each attempt; then the gateway retries. 0: the first_byte timeout applies.",
          "type": "string",
          "format": "duration",
          "x-reload": "keep"
        },
        "body_size": {
          "description": "Maximum size in bytes of a request body that the gateway buffers until the response starts, so that it can retry requests. 0: no buffering. A body that the `buffer` policy has read is sent again whatever its size.",
          "type": "string",
          "format": "size",
          "x-reload": "keep"
        }
      }
    },
    "route-timeouts": {
      "title": "RouteTimeoutsConfig",
      "description": "Timeouts for exchanges of this route. `body` and `send` override the listener's, the others the pool's. Absent: the value there.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "body": {
          "description": "Maximum time between two parts of a request body; then 408. 0: no limit.",
          "type": "string",
          "format": "duration",
          "x-reload": "keep"
        },
        "send": {
          "description": "Maximum time in which the client reads no byte of the pending data; then the gateway aborts the connection. 0: no limit.",
          "type": "string",
          "format": "duration",
          "x-reload": "keep"
        },
        "first_byte": {
          "description": "Maximum time from the end of the request to the response head; then the client gets a 504. 0: no limit.",
          "type": "string",
          "format": "duration",
          "x-reload": "keep"
        },
        "idle": {
          "description": "Maximum time without a byte while a body is under way: received from a backend, or accepted by it. 0: no limit.",
          "type": "string",
          "format": "duration",
          "x-reload": "keep"
        },
        "stream": {
          "description": "Maximum time without a byte of a `text/event-stream`, in place of `idle`. 0: no limit.",
          "type": "string",
          "format": "duration",
          "x-reload": "keep"
        },
        "tunnel": {
          "description": "Maximum time without a byte in either direction of a tunnel, which is an upgraded connection or a connection of a tcp listener. 0: no limit.",
          "type": "string",
          "format": "duration",
          "x-reload": "keep"
        },
        "total": {
          "description": "Maximum time for a request with all its attempts and pauses, from its head to the last byte of the response. Then the client gets a 504, or the gateway aborts its connection if the response had started. 0: no limit.",
          "type": "string",
          "format": "duration",
          "x-reload": "keep"
        }
      }
    },
    "route": {
      "title": "RouteConfig",
      "description": "Selects requests and says how to handle them. Exactly one of pool, split, respond and redirect.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "name": {
          "description": "A unique name. Logs and metrics show it.",
          "type": "string",
          "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
          "x-says": "must be a name of letters, digits, _ . and -"
        },
        "enabled": {
          "description": "`false` disables the route without deleting it: it matches no requests. Its settings are still validated.",
          "type": "boolean",
          "default": true
        },
        "listeners": {
          "description": "The http listeners that the route applies to. Absent: all of them.",
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
          "description": "The policies of the route, outermost first.",
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
          "description": "Send each request to one of several pools, by weight: at random, or by the key in `split_by`.",
          "type": "array",
          "minItems": 1,
          "items": {
            "$ref": "#/$defs/split-part"
          }
        },
        "split_by": {
          "$ref": "#/$defs/hash-key",
          "description": "The key of a split. Requests with the same key go to the same pool, and a change of the weights moves few keys. Absent: the pool of each request is random."
        },
        "mirror": {
          "$ref": "#/$defs/mirror"
        },
        "map_back": {
          "description": "Whether the gateway maps Location, Content-Location, Refresh and the Path and Domain of cookies back to the names that clients know. It reverses its own changes: a rewritten path, the Host of the pool, the endpoint's own address.",
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
          "description": "The name of the pool.",
          "type": "string"
        },
        "weight": {
          "description": "Its share of the requests is weight ÷ sum of all weights. 0: none.",
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
      "description": "Session affinity by a cookie: a client stays with its first endpoint while that endpoint is healthy. Otherwise the strategy chooses a new one. HTTP only. Endpoints of weight 0 keep their existing clients.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "cookie": {
          "description": "The name of the cookie. Pools with different endpoints need different names if the same clients use them on one host.",
          "type": "string",
          "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
          "x-says": "must be a cookie name",
          "default": "prozy_endpoint",
          "x-reload": "keep"
        },
        "secret": {
          "description": "Signs the cookie (HMAC-SHA256 over the endpoint's address), so that a client cannot guess the cookie of another endpoint. Gateways that accept each other's cookies need the same secret. Absent: the cookie is an unsigned hash of the endpoint's address, and a client that knows the address can choose the endpoint.",
          "type": "string",
          "minLength": 16,
          "x-secret": true,
          "examples": [
            "${file:secrets/sticky}"
          ],
          "x-reload": "keep"
        },
        "path": {
          "description": "The Path attribute of the cookie.",
          "type": "string",
          "pattern": "^/[\\x21-\\x3a\\x3c-\\x7e]*$",
          "x-says": "must be a path that begins with \"/\"",
          "default": "/",
          "x-reload": "keep"
        },
        "ttl": {
          "description": "The Max-Age attribute of the cookie, counted from its first issue. Absent: a session cookie.",
          "type": "string",
          "format": "duration",
          "examples": [
            "8h"
          ],
          "x-reload": "keep",
          "x-above-zero": "a browser would drop the cookie at once; leave it out for one that lasts for the session"
        },
        "secure": {
          "description": "The Secure attribute: clients send the cookie over TLS only.",
          "type": "boolean",
          "default": false,
          "x-reload": "keep"
        },
        "http_only": {
          "description": "The HttpOnly attribute: scripts in the page cannot read the cookie.",
          "type": "boolean",
          "default": true,
          "x-reload": "keep"
        },
        "same_site": {
          "description": "The SameSite attribute, for requests that other sites cause: `lax` sends the cookie when a link leads to the site, `strict` never, `none` always (needs `secure`).",
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
      "description": "The load balancing strategy: how to choose one of the healthy endpoints. A plain string is its type.",
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
      "description": "Ejects endpoints whose success rate is clearly lower than that of the others, although they never fail often enough in a row.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "deviations": {
          "description": "How many standard deviations below the mean success rate of the endpoints an endpoint is ejected. 0: off.",
          "type": "number",
          "minimum": 0,
          "default": 1.5,
          "x-reload": "keep"
        },
        "margin": {
          "description": "Minimum distance below the mean in percentage points, even if the other rates are close together. The distance must also be more than chance explains.",
          "type": "integer",
          "minimum": 1,
          "maximum": 100,
          "default": 5,
          "x-reload": "keep"
        },
        "interval": {
          "description": "How long the gateway counts before it compares rates.",
          "type": "string",
          "format": "duration",
          "default": "10s",
          "x-reload": "keep",
          "x-above-zero": "rates would be compared without a pause"
        },
        "min_endpoints": {
          "description": "Minimum number of endpoints with enough requests for a comparison.",
          "type": "integer",
          "minimum": 3,
          "default": 5,
          "x-reload": "keep"
        },
        "min_requests": {
          "description": "Minimum number of exchanges of an endpoint within the interval. With fewer its rate is ignored.",
          "type": "integer",
          "minimum": 1,
          "default": 100,
          "x-reload": "keep"
        }
      }
    },
    "test-expectation": {
      "title": "TestExpectation",
      "description": "The expected outcome of the request. All given properties must hold, and at least one must be given.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "listener": {
          "description": "The listener that accepts the request.",
          "type": "string"
        },
        "tls_route": {
          "description": "The TLS route that the connection matches.",
          "type": "string"
        },
        "route": {
          "description": "The route that the request matches.",
          "type": "string"
        },
        "allowed": {
          "description": "Whether the request passes the listener's ACL and every policy of its route. An answer that is no refusal, such as that to a CORS preflight, counts as passing.",
          "type": "boolean"
        },
        "denied_by": {
          "description": "What refuses the request: `listener` for the listener's ACL or TLS, else the type of a policy.",
          "type": "string",
          "examples": [
            "listener",
            "acl"
          ]
        },
        "status": {
          "description": "The status of a local reply: a fixed response, a redirect, a refusal, a 404.",
          "type": "integer",
          "minimum": 200,
          "maximum": 599
        },
        "location": {
          "description": "The full Location of a redirect.",
          "type": "string"
        },
        "pool": {
          "description": "The pools that the request may go to. With a random split, every possible pool must be in this list.",
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
          "description": "The endpoints that the request may go to while all are healthy. Every possible endpoint must be in this list.",
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
          "description": "The path and query of the forwarded request.",
          "type": "string"
        },
        "request_headers": {
          "description": "Header fields of the forwarded request, by name.",
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
      "description": "A request as a client would send it. The test does not send it to any backend.",
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
          "description": "An absolute URL. Its host, with the port if it has one, is the Host field; with https it is the server name (SNI), too. `tls://host:port` is a TLS connection with that server name, and no request; `tls://:port` one without a server name. Path and query are sent as written. A name that is not ASCII is sent in its `xn--` form.",
          "type": "string",
          "pattern": "^([hH][tT][tT][pP][sS]?|[tT][lL][sS])://[^/?#]",
          "x-says": "must be an absolute URL: http://host/path, or tls://host",
          "examples": [
            "http://api.example.com/v1/x",
            "tls://db.example.com"
          ]
        },
        "client": {
          "description": "The client address of the connection. The default belongs to no network, so that no rule for a real address applies by accident.",
          "type": "string",
          "format": "ip-address",
          "default": "192.0.2.1"
        },
        "headers": {
          "description": "Header fields by name. A list sends the field several times. A `host` here replaces that of the URL.",
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
        "server_name": {
          "description": "The server name of the TLS handshake. Absent: the host of the URL. Empty: the client sends none.",
          "type": "string",
          "pattern": "^([A-Za-z0-9_-]{1,63}(\\.[A-Za-z0-9_-]{1,63})*)?$",
          "x-says": "must be a host name, or empty"
        },
        "client_certificate": {
          "description": "A PEM file with the client's certificate, followed by the intermediate certificates of its issuer. Absent: the client has none. The value may be the PEM text itself, by a reference.",
          "type": "string",
          "minLength": 1,
          "examples": [
            "./tests/alice.pem"
          ]
        },
        "alpn": {
          "description": "The protocols that the client of a TLS connection offers (ALPN), one or a list. Absent: http/1.1 for https, none for tls.",
          "type": "array",
          "minItems": 1,
          "items": {
            "type": "string",
            "pattern": "^[\\x21-\\x7e]{1,255}$",
            "x-says": "must be the name of a protocol, such as h2"
          },
          "x-list": true,
          "examples": [
            "acme-tls/1"
          ]
        },
        "listener": {
          "description": "The listener that receives the request: an http listener, or for tls any. Absent: the listener on the URL's port, else the only one.",
          "type": "string"
        }
      },
      "required": [
        "url"
      ]
    },
    "tls-match": {
      "title": "TlsMatch",
      "description": "Conditions on a ClientHello. All of them must hold. Empty: every TLS connection.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "server_name": {
          "description": "The server name that the client sends (SNI), case-insensitive: exact, or `*.example.com` for all names below. One or a list. A client that sends none does not match. With Encrypted Client Hello it is the outer name.",
          "type": "array",
          "minItems": 1,
          "items": {
            "type": "string",
            "format": "host-pattern"
          },
          "x-list": true,
          "examples": [
            "db.example.com",
            [
              "a.example.com",
              "*.example.org"
            ]
          ]
        },
        "alpn": {
          "description": "Protocols of which the client must offer at least one (ALPN), case-sensitive. One or a list.",
          "type": "array",
          "minItems": 1,
          "items": {
            "type": "string",
            "pattern": "^[\\x21-\\x7e]{1,255}$",
            "x-says": "must be the name of a protocol, such as h2"
          },
          "x-list": true,
          "examples": [
            "acme-tls/1",
            [
              "h2",
              "http/1.1"
            ]
          ]
        }
      }
    },
    "tls-name": {
      "title": "TlsName",
      "description": "TLS settings for one server name, in place of the listener's. Those that are absent are the listener's.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "client_auth": {
          "$ref": "#/$defs/client-auth"
        },
        "min_version": {
          "description": "The lowest version of TLS.",
          "enum": [
            "1.2",
            "1.3"
          ],
          "x-reload": "keep"
        },
        "ciphers": {
          "description": "The cipher suites, by the names of OpenSSL.",
          "type": "array",
          "items": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_+-]+$",
            "x-says": "must be the name of a cipher suite"
          },
          "minItems": 1,
          "x-reload": "keep"
        },
        "groups": {
          "description": "The groups for the key exchange, most wanted first.",
          "type": "array",
          "items": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]+$",
            "x-says": "must be the name of a group"
          },
          "minItems": 1,
          "x-reload": "keep"
        }
      },
      "minProperties": 1
    },
    "tls-route": {
      "title": "TlsRoute",
      "description": "Selects TLS connections by their ClientHello, before anything is decrypted, and says where they go.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "name": {
          "description": "A name that is unique in the listener. Logs and metrics show it.",
          "type": "string",
          "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
          "x-says": "must be a name of letters, digits, _ . and -"
        },
        "enabled": {
          "description": "`false` disables the TLS route without deleting it: it matches no connections. Its settings are still validated.",
          "type": "boolean",
          "default": true,
          "x-reload": "keep"
        },
        "match": {
          "$ref": "#/$defs/tls-match"
        },
        "mode": {
          "description": "`passthrough` relays the connection as it is, still encrypted: the backend has the certificate. `terminate` decrypts it with the listener's `tls`, as if no TLS route had matched.",
          "enum": [
            "passthrough",
            "terminate"
          ],
          "default": "passthrough",
          "x-reload": "keep"
        },
        "pool": {
          "description": "The pool of these connections. Absent: the listener's. On an http listener, decrypted connections have none: they bring requests, which go to routes.",
          "type": "string",
          "x-reload": "keep"
        }
      },
      "required": [
        "name",
        "match"
      ]
    },
    "tls-tickets": {
      "title": "TlsTickets",
      "description": "Session tickets: clients that come back resume their session without a full handshake, for up to 24 hours.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "enabled": {
          "description": "`false`: no tickets are issued or accepted. Each handshake is a full one.",
          "type": "boolean",
          "default": true,
          "x-reload": "keep"
        },
        "key_files": {
          "description": "Files with the keys that encrypt tickets, so that several gateways accept each other's. The first key of the first file encrypts; all of them decrypt. A file holds one key of 48 or 80 bytes, or such keys in base64, one a line. A changed file takes effect with the next handshake. Absent: the gateway makes its own keys and replaces them after 12 to 24 hours.",
          "type": "array",
          "items": {
            "type": "string",
            "minLength": 1
          },
          "minItems": 1,
          "uniqueItems": true,
          "x-reload": "keep",
          "examples": [
            [
              "./tls/ticket.key",
              "./tls/ticket-before.key"
            ]
          ]
        }
      }
    },
    "tsig-key": {
      "title": "TsigKeyConfig",
      "description": "The key that signs updates (TSIG, RFC 8945). The server's answers must be signed with it.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "name": {
          "description": "Its name at the server.",
          "type": "string",
          "format": "host",
          "examples": [
            "acme-key"
          ]
        },
        "algorithm": {
          "description": "Its algorithm.",
          "enum": [
            "hmac-sha256",
            "hmac-sha384",
            "hmac-sha512"
          ],
          "default": "hmac-sha256"
        },
        "secret": {
          "description": "The key itself, in base64.",
          "type": "string",
          "pattern": "^[A-Za-z0-9+/]+=*$",
          "x-says": "must be in base64",
          "x-secret": true,
          "examples": [
            "${file:secrets/tsig}"
          ]
        }
      },
      "required": [
        "name",
        "secret"
      ]
    },
    "acl-policy": {
      "title": "AclPolicyConfig",
      "description": "Refuses clients that an ACL denies: 403.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The policy type.",
          "const": "acl"
        },
        "enabled": {
          "description": "`false` disables the policy without deleting it: requests skip it. Its settings are still validated.",
          "type": "boolean",
          "default": true
        },
        "acl": {
          "description": "The name of the ACL.",
          "type": "string"
        }
      },
      "required": [
        "type",
        "acl"
      ]
    },
    "buffer-policy": {
      "title": "BufferPolicyConfig",
      "description": "Reads the whole request body into memory before later policies run and an endpoint is chosen. A slow client then occupies no endpoint, and the body can be sent again.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The policy type.",
          "const": "buffer"
        },
        "enabled": {
          "description": "`false` disables the policy without deleting it: requests skip it. Its settings are still validated.",
          "type": "boolean",
          "default": true
        },
        "size": {
          "description": "Maximum size in bytes of a request body. A larger one is refused: 413.",
          "type": "string",
          "format": "size",
          "default": "1MiB"
        }
      },
      "required": [
        "type"
      ]
    },
    "cache-policy": {
      "title": "CachePolicyConfig",
      "description": "A shared cache as RFC 9111 defines it: serves stored responses and stores storable ones. Policies before it see every request. Policies after it see only the requests that the cache forwards.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The policy type.",
          "const": "cache"
        },
        "enabled": {
          "description": "`false` disables the policy without deleting it: requests skip it. Its settings are still validated.",
          "type": "boolean",
          "default": true
        },
        "cache": {
          "description": "The name of the cache that stores the responses.",
          "type": "string"
        },
        "default_ttl": {
          "description": "Freshness lifetime of a response without explicit freshness and without a Last-Modified. Absent: such a response is not fresh.",
          "type": "string",
          "format": "duration"
        },
        "min_ttl": {
          "description": "Minimum freshness lifetime of a storable response. It overrides the response.",
          "type": "string",
          "format": "duration",
          "default": "0s"
        },
        "max_ttl": {
          "description": "Maximum freshness lifetime of a response. It overrides the response. Absent: no limit.",
          "type": "string",
          "format": "duration",
          "x-above-zero": "leave it out for no limit"
        },
        "stale_while_revalidate": {
          "description": "How long the cache serves a stale response while it revalidates it, if the response does not say so itself (RFC 5861 §3). It applies only to responses that were fresh for some time.",
          "type": "string",
          "format": "duration",
          "default": "0s"
        },
        "stale_if_error": {
          "description": "How long the cache serves a stale response in place of an error, if the response does not say so itself (RFC 5861 §4). It applies only to responses that were fresh for some time.",
          "type": "string",
          "format": "duration",
          "default": "0s"
        },
        "stale_if_unreachable": {
          "description": "How long the cache serves a stale response if the origin is unreachable, unless the response forbids it (RFC 9111 §4.2.4). It applies only to responses that were fresh for some time: by explicit freshness, their Last-Modified, `default_ttl` or `min_ttl`.",
          "type": "string",
          "format": "duration",
          "default": "1h"
        },
        "request_directives": {
          "description": "Whether clients may demand fresher responses than the origin requires (Cache-Control and Pragma of requests). `ignore` stops clients from forcing every request to the origin.",
          "enum": [
            "obey",
            "ignore"
          ],
          "default": "obey"
        },
        "set_cookie": {
          "description": "Which responses with a Set-Cookie are stored: none, or those with explicit freshness (or `public`). Every client then gets that cookie.",
          "enum": [
            "never",
            "explicit"
          ],
          "default": "never"
        },
        "unauthorized": {
          "description": "Which 401 responses are stored: none, or those with explicit freshness.",
          "enum": [
            "never",
            "explicit"
          ],
          "default": "never"
        },
        "authorization": {
          "description": "Which stored responses the cache serves for requests with an Authorization field: those that permit it (`public`, `must-revalidate` or `s-maxage`), or any.",
          "enum": [
            "explicit",
            "any"
          ],
          "default": "explicit"
        },
        "bypass": {
          "description": "Requests that meet any of these conditions bypass the cache: it neither serves them nor stores their responses.",
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
          "description": "The cache may serve requests that meet any of these conditions, but it does not store the origin's responses to them.",
          "type": "array",
          "items": {
            "$ref": "#/$defs/cache-condition"
          },
          "default": []
        },
        "collapse_wait": {
          "description": "Maximum time that a request waits for the response to an earlier request with the same key; then the cache forwards it. 0: no waiting.",
          "type": "string",
          "format": "duration",
          "default": "5s"
        },
        "finish": {
          "description": "If all clients disconnect during a fetch, the cache completes it if at most this many bytes of the body are missing.",
          "type": "string",
          "format": "size",
          "default": "1MiB"
        },
        "status_header": {
          "description": "Whether responses carry a Cache-Status field (RFC 9211).",
          "type": "boolean",
          "default": true
        }
      },
      "required": [
        "type",
        "cache"
      ]
    },
    "compress-policy": {
      "title": "CompressPolicyConfig",
      "description": "Compresses the content of responses with a coding that the client accepts (RFC 9110 §12.5.3).",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The policy type.",
          "const": "compress"
        },
        "enabled": {
          "description": "`false` disables the policy without deleting it: requests skip it. Its settings are still validated.",
          "type": "boolean",
          "default": true
        },
        "encodings": {
          "description": "The codings to choose from. If the client accepts several with the same weight, the first of them is used.",
          "type": "array",
          "items": {
            "enum": [
              "zstd",
              "br",
              "gzip"
            ]
          },
          "minItems": 1,
          "uniqueItems": true,
          "default": [
            "zstd",
            "br",
            "gzip"
          ]
        },
        "levels": {
          "$ref": "#/$defs/compress-levels",
          "default": {}
        },
        "minimum_size": {
          "description": "Responses with a shorter content are not compressed. Responses whose length is not known in advance always are.",
          "type": "string",
          "format": "size",
          "default": "1KiB"
        },
        "types": {
          "description": "The media types to compress: `type/subtype`, `type/*` or `type/*+suffix`, in any case and without parameters.",
          "type": "array",
          "items": {
            "type": "string",
            "format": "media-type-pattern"
          },
          "minItems": 1,
          "default": [
            "text/*",
            "application/json",
            "application/*+json",
            "application/xml",
            "application/*+xml",
            "application/javascript",
            "application/x-javascript",
            "application/json-seq",
            "application/x-ndjson",
            "application/jsonl",
            "application/yaml",
            "application/*+yaml",
            "application/toml",
            "application/sql",
            "application/rtf",
            "application/wasm",
            "application/vnd.ms-fontobject",
            "font/otf",
            "font/ttf",
            "image/svg+xml",
            "image/bmp",
            "image/x-icon",
            "image/vnd.microsoft.icon"
          ],
          "examples": [
            [
              "text/html",
              "text/css",
              "application/*+json"
            ]
          ]
        }
      },
      "required": [
        "type"
      ]
    },
    "cors-policy": {
      "title": "CorsPolicyConfig",
      "description": "The CORS protocol of the Fetch standard: answers preflights, and adds the CORS fields to responses. CORS fields of the backend are replaced.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The policy type.",
          "const": "cors"
        },
        "enabled": {
          "description": "`false` disables the policy without deleting it: requests skip it. Its settings are still validated.",
          "type": "boolean",
          "default": true
        },
        "origins": {
          "description": "The origins whose scripts may read the responses.",
          "type": "array",
          "minItems": 1,
          "items": {
            "$ref": "#/$defs/origin-match"
          },
          "x-list": true,
          "examples": [
            [
              "https://app.example.com",
              "https://*.example.com"
            ],
            [
              {
                "regex": "^https://pr-[0-9]+\\.example\\.com$"
              }
            ]
          ]
        },
        "methods": {
          "description": "The methods that scripts may use, case-sensitive. `*`: any. Browsers permit GET, HEAD and POST in any case.",
          "type": "array",
          "minItems": 1,
          "items": {
            "type": "string",
            "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
            "x-says": "must be a method such as GET"
          },
          "default": [
            "GET",
            "HEAD",
            "POST"
          ],
          "examples": [
            [
              "GET",
              "HEAD",
              "POST",
              "PUT",
              "DELETE"
            ]
          ]
        },
        "headers": {
          "description": "The request header fields that scripts may set, besides those that browsers always permit. `*`: any, with `authorization`.",
          "type": "array",
          "items": {
            "type": "string",
            "format": "field-name"
          },
          "default": [],
          "examples": [
            [
              "content-type",
              "authorization"
            ]
          ]
        },
        "expose_headers": {
          "description": "The response header fields that scripts may read, besides those that browsers always permit. `*`: any; not with `credentials`.",
          "type": "array",
          "items": {
            "type": "string",
            "format": "field-name"
          },
          "default": [],
          "examples": [
            [
              "etag",
              "x-request-id"
            ]
          ]
        },
        "credentials": {
          "description": "Whether scripts may read responses to requests with cookies, Authorization or client certificates. Not with the origin `*`.",
          "type": "boolean",
          "default": false
        },
        "max_age": {
          "description": "How long a browser may use the answer to a preflight again, in whole seconds. Absent: the browser decides (5 seconds).",
          "type": "string",
          "format": "duration",
          "examples": [
            "10m"
          ]
        },
        "private_network": {
          "description": "Whether scripts of public sites may send requests here if this is a private network: the answer to `Access-Control-Request-Private-Network`.",
          "type": "boolean",
          "default": false
        }
      },
      "required": [
        "type",
        "origins"
      ]
    },
    "decompress-policy": {
      "title": "DecompressPolicyConfig",
      "description": "Decodes the content of requests, for backends that can't: it is forwarded without a Content-Encoding.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The policy type.",
          "const": "decompress"
        },
        "enabled": {
          "description": "`false` disables the policy without deleting it: requests skip it. Its settings are still validated.",
          "type": "boolean",
          "default": true
        },
        "encodings": {
          "description": "The codings to decode. Requests with any other get a 415 with an Accept-Encoding (RFC 9110 §15.5.16).",
          "type": "array",
          "items": {
            "enum": [
              "zstd",
              "br",
              "gzip",
              "deflate"
            ]
          },
          "minItems": 1,
          "uniqueItems": true,
          "default": [
            "zstd",
            "br",
            "gzip",
            "deflate"
          ]
        },
        "max_size": {
          "description": "Maximum size in bytes of the decoded content; 413 beyond. 0: no limit.",
          "type": "string",
          "format": "size",
          "default": "16MiB"
        },
        "max_ratio": {
          "description": "Maximum number of decoded bytes for each received byte; 413 beyond. It applies to contents of more than 1 MiB. 0: no limit.",
          "type": "integer",
          "minimum": 0,
          "default": 100
        }
      },
      "required": [
        "type"
      ]
    },
    "headers-policy": {
      "title": "HeadersPolicyConfig",
      "description": "Edits header fields of requests and responses.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The policy type.",
          "const": "headers"
        },
        "enabled": {
          "description": "`false` disables the policy without deleting it: requests skip it. Its settings are still validated.",
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
    "module-policy": {
      "title": "ModulePolicyConfig",
      "description": "Runs a policy written in TypeScript or JavaScript, with the same hooks as the built-in policies. The gateway runs the module's code in its own process: a module can do everything that the gateway can do.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The policy type.",
          "const": "module"
        },
        "enabled": {
          "description": "`false` disables the policy without deleting it: requests skip it. Its settings are still validated.",
          "type": "boolean",
          "default": true
        },
        "module": {
          "description": "Path of the module, relative to the config file: a `.ts`, `.mts`, `.js` or `.mjs` file. It exports its JSON Schema as `schema` and its policy as default. The gateway loads it when it checks the config, and loads it again whenever the file, or a file that it imports by a relative path, changes.",
          "type": "string",
          "minLength": 1,
          "pattern": "\\.m?[jt]s$",
          "x-says": "must be the path of a .ts, .mts, .js or .mjs file",
          "examples": [
            "./policies/api-key.ts"
          ]
        },
        "config": {
          "description": "The settings of the module. They must conform to the schema that the module exports.",
          "type": "object",
          "additionalProperties": {},
          "default": {},
          "examples": [
            {
              "header": "x-api-key"
            }
          ]
        },
        "pools": {
          "description": "The names of the pools that the module sends requests of its own to, for instance to an authorization service.",
          "type": "array",
          "items": {
            "type": "string"
          },
          "uniqueItems": true,
          "default": [],
          "examples": [
            [
              "auth"
            ]
          ]
        }
      },
      "required": [
        "type",
        "module"
      ]
    },
    "rewrite-policy": {
      "title": "RewritePolicyConfig",
      "description": "Replaces a prefix of the path.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The policy type.",
          "const": "rewrite"
        },
        "enabled": {
          "description": "`false` disables the policy without deleting it: requests skip it. Its settings are still validated.",
          "type": "boolean",
          "default": true
        },
        "prefix": {
          "description": "The prefix to replace, by whole segments.",
          "type": "string",
          "format": "path"
        },
        "replacement": {
          "description": "The new prefix.",
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
      "description": "Maps each client address to a fixed endpoint. If an endpoint is removed, only its clients move, and they spread over the others.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The strategy type.",
          "const": "ip_hash"
        }
      },
      "required": [
        "type"
      ]
    },
    "least-connections-strategy": {
      "title": "LeastConnectionsConfig",
      "description": "The endpoint with the fewest active requests and tunnels relative to its weight; round-robin among equals.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The strategy type.",
          "const": "least_connections"
        }
      },
      "required": [
        "type"
      ]
    },
    "maglev-strategy": {
      "title": "MaglevConfig",
      "description": "Maps each key to a fixed endpoint by a Maglev table. It spreads keys more evenly than a hash ring, but moves a few more of them when endpoints are added or removed.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The strategy type.",
          "const": "maglev"
        },
        "key": {
          "$ref": "#/$defs/hash-key",
          "default": {
            "source": "client"
          }
        },
        "table_size": {
          "description": "Number of entries in the table, a prime. With at least 100 entries for each endpoint the spread is even within 1 percent.",
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
      "description": "Power of two choices: draws two endpoints by weight and takes the one with less load, which is active requests times average time to the response head, divided by the weight.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The strategy type.",
          "const": "p2c"
        }
      },
      "required": [
        "type"
      ]
    },
    "random-strategy": {
      "title": "RandomConfig",
      "description": "A random endpoint, with a probability proportional to its weight.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The strategy type.",
          "const": "random"
        }
      },
      "required": [
        "type"
      ]
    },
    "ring-hash-strategy": {
      "title": "RingHashConfig",
      "description": "Maps each key to a fixed endpoint by a hash ring. When endpoints are added or removed, the minimum number of keys moves.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The strategy type.",
          "const": "ring_hash"
        },
        "key": {
          "$ref": "#/$defs/hash-key",
          "default": {
            "source": "client"
          }
        },
        "replicas": {
          "description": "Points on the ring for an endpoint of average weight. More points spread the keys more evenly and take more memory. With 512 points no endpoint is more than about 15 percent off its share.",
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
      "description": "Each endpoint in turn. It ignores weights, except that an endpoint of weight 0 gets no requests.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The strategy type.",
          "const": "round_robin"
        }
      },
      "required": [
        "type"
      ]
    },
    "weighted-round-robin-strategy": {
      "title": "WeightedRoundRobinConfig",
      "description": "Each endpoint in turn in proportion to its weight, spread evenly: weights 5, 1, 1 give a a b a c a a.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The strategy type.",
          "const": "weighted_round_robin"
        }
      },
      "required": [
        "type"
      ]
    },
    "header-never-passed-invariant": {
      "title": "HeaderNeverPassedInvariant",
      "description": "No route may forward a request header field to a pool: the policies of the route must remove the field or set it to a fixed value.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The invariant type.",
          "const": "header_never_passed"
        },
        "header": {
          "description": "The name of the field.",
          "type": "string",
          "format": "field-name",
          "examples": [
            "x-internal-user"
          ]
        },
        "pools": {
          "description": "The pools that the rule protects. Absent: all pools.",
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
      "description": "A pool must have a minimum number of endpoints with a weight above 0.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The invariant type.",
          "const": "min_endpoints"
        },
        "pool": {
          "description": "The name of the pool. Absent: every pool.",
          "type": "string"
        },
        "endpoints": {
          "description": "The minimum number of endpoints.",
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
      "description": "No listener, including the admin listener, may be bound to this address or port. Exactly one of address, port and wildcard.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The invariant type.",
          "const": "never_bound"
        },
        "address": {
          "description": "`host:port`, `[ipv6]:port` or `unix:/path`. A listener on all addresses of that port also violates the invariant.",
          "type": "string",
          "format": "address"
        },
        "port": {
          "description": "The port, on any address.",
          "type": "integer",
          "minimum": 1,
          "maximum": 65535
        },
        "wildcard": {
          "description": "All addresses of the machine, as with `0.0.0.0` and `[::]`.",
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
      "description": "No listener may be open to everyone. A listener that is not bound to loopback or a Unix socket needs an ACL that denies unknown clients, or every route on it needs a policy that does. The admin listener has no ACL, so it must be on loopback.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The invariant type.",
          "const": "no_open_listener"
        },
        "except": {
          "description": "Listeners that may be open.",
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
      "description": "No route may be unreachable because an earlier route takes all its requests. Without this invariant such a route causes a warning.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The invariant type.",
          "const": "no_unreachable_route"
        },
        "except": {
          "description": "Routes that may be unreachable.",
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
      "description": "A route must exist, with the given pools and policies.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "type": {
          "description": "The invariant type.",
          "const": "route_exists"
        },
        "route": {
          "description": "The name of the route.",
          "type": "string"
        },
        "pool": {
          "description": "The allowed pools: each pool that the route sends requests to must be in this list.",
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
          "description": "Types of policies that the route must have.",
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
