/**
 * Hints beside problems: suggest the probable meaning of nearly correct values and of words from other gateways. Cold.
 *
 * Used by validate.ts. A hint may show the value, so it is not requested for values that may be secrets.
 */
import { nearestDuration, nearestSize } from '../kit/units.ts';
import { meantOrigin } from '../kit/web-origin.ts';
import { meantHost, parseAddress } from './formats.ts';
import type { SchemaNode } from './walk.ts';

type Words = Readonly<Record<string, string>>;

/** The TLS of a pool. */
const TLS = 'write tls: true in the pool';
/** The TLS of a listener. */
const TLS_HERE = 'write tls: { certificates: [NAME] } in the listener, and the certificate at the top';
const TLS_ROUTES = 'write tls_routes: [{ name: NAME, match: { server_name: db.example.com }, pool: NAME }]';
const AUTH = 'authentication is not in this version';
const BACKENDS = 'backends are in pools: { NAME: { endpoints: ["host:port"] } }';
const CLIENTS = 'clients connect to listeners: { NAME: { address: "0.0.0.0:8080" } }';
const ROUTES = 'requests are matched by routes: [{ name: NAME, match: { path: /x }, pool: NAME }]';
const POLICIES = 'policies are in a route: policies: [{ type: headers }]';
const MATCH = 'conditions are in match: { host: example.com, path: /x, methods: [GET] }';
const POOL = 'write pool: NAME, and the backends in pools';
const CHECK = 'write health: { active: { path: /healthz } }';
const ADDRESS = 'write address: "host:port"';
const TIMEOUTS = 'limits of time are in timeouts';
const TIMEOUTS_OF_ROUTE = 'write timeouts: { total: 30s }, or first_byte for the wait for the response';
const BODY_SIZE = 'write limits: { body_size: 10MiB }';
const REWRITE = 'write policies: [{ type: rewrite, prefix: /x, replacement: /y }]';
const CORS = 'write policies: [{ type: cors, origins: ["https://app.example.com"] }]';
const BUFFER = 'write policies: [{ type: buffer, size: 1MiB }]';
const COMPRESS = 'write policies: [{ type: compress }]';
const HTTP2 = 'HTTP/1.1 is the only protocol of this version';

function words(hint: string, ...names: readonly string[]): Words {
  return Object.fromEntries(names.map((name) => [name, hint]));
}

/**
 * The words of nginx, HAProxy, Caddy, Traefik, Envoy and others for a setting, by the title of the schema where they
 * occur.
 */
const FOREIGN: Readonly<Record<string, Words>> = {
  GatewayConfig: {
    ...words(BACKENDS, 'upstream', 'upstreams', 'backend', 'backends', 'cluster', 'clusters', 'service', 'services'),
    ...words(CLIENTS, 'server', 'servers', 'frontend', 'frontends', 'entrypoints', 'entryPoints', 'listen', 'bind'),
    ...words(ROUTES, 'location', 'locations', 'routers', 'http', 'tcp', 'virtual_hosts', 'rules', 'hosts', 'sites'),
    ...words(POLICIES, 'middleware', 'middlewares', 'filters', 'http_filters', 'plugins', 'policies'),
    ...words(TLS_HERE, 'tls', 'ssl', 'certs'),
    ...words(AUTH, 'auth', 'realms', 'users'),
    ...words('write it in each pool: health: { active: { path: /healthz } }', 'healthcheck', 'health'),
    ...words(
      'settings in common are written once by a YAML anchor, below a key such as x-common',
      'defaults',
      'global',
    ),
    ...words('write logging: { access: { path: stdout } }', 'access_log', 'accessLog', 'log'),
  },
  RouteConfig: {
    ...words(MATCH, 'path', 'paths', 'path_prefix', 'prefix', 'location', 'uri', 'host', 'hosts', 'domains'),
    ...words(MATCH, 'server_name', 'method', 'methods', 'headers', 'query', 'rule', 'from', 'when'),
    ...words(POOL, 'proxy_pass', 'reverse_proxy', 'upstream', 'backend', 'backends', 'cluster', 'service', 'services'),
    ...words(POOL, 'server', 'servers', 'target', 'to', 'endpoints'),
    ...words('write respond: { status: 200, body: text }', 'return', 'response', 'direct_response'),
    ...words(POLICIES, 'middleware', 'middlewares', 'filters', 'plugins'),
    ...words('write policies: [{ type: cache, cache: NAME }]', 'cache', 'proxy_cache'),
    ...words('write policies: [{ type: acl, acl: NAME }]', 'acl', 'allow', 'deny'),
    ...words(REWRITE, 'rewrite', 'strip_prefix', 'stripPrefix', 'strip_path', 'replace_prefix', 'prefix_rewrite'),
    ...words(TIMEOUTS_OF_ROUTE, 'timeout', 'read_timeout', 'request_timeout', 'proxy_read_timeout'),
    ...words(BODY_SIZE, 'max_body_size', 'client_max_body_size', 'body_size', 'request_body'),
    ...words(CORS, 'cors'),
    ...words(BUFFER, 'buffer', 'buffering', 'proxy_request_buffering', 'request_buffers'),
    ...words(COMPRESS, 'compress', 'compression', 'gzip', 'brotli', 'zstd', 'encode'),
    ...words(HTTP2, 'http2', 'h2'),
    ...words(TLS_HERE, 'tls', 'ssl', 'certificates'),
    ...words(AUTH, 'auth', 'basic_auth', 'realm'),
    ...words('rate limits are not in this version', 'rate_limit', 'limit_req'),
  },
  MatchConfig: {
    ...words('write host', 'hosts', 'domain', 'domains', 'server_name', 'authority'),
    ...words('write path: /x, which is a prefix', 'path_prefix', 'pathPrefix', 'prefix', 'location', 'uri', 'url'),
    ...words('write path: { exact: /x }', 'exact'),
    ...words('write path: { regex: ^/x }', 'regex', 'path_regexp', 'safe_regex'),
    ...words('write methods: [GET]', 'method'),
    ...words('write headers: { name: value }', 'header'),
    ...words(
      'clients are judged by an ACL: policies: [{ type: acl, acl: NAME }]',
      'client',
      'remote_ip',
      'source',
      'src',
    ),
  },
  PoolConfig: {
    ...words('write endpoints: ["host:port"]', 'servers', 'server', 'backends', 'upstreams', 'targets', 'hosts'),
    ...words('write endpoints: ["host:port"]', 'addresses', 'address', 'members', 'urls', 'url', 'lb_endpoints'),
    ...words(CHECK, 'healthcheck', 'health_check', 'health_checks', 'healthchecks', 'healthCheck', 'check', 'checks'),
    ...words('write strategy', 'lb_policy', 'load_balancing', 'lb', 'algorithm', 'balance', 'policy', 'method'),
    ...words(
      'write tls: true, or tls: { ca: ./ca.crt, server_name: app.internal }',
      'ssl',
      'transport_socket',
      'https',
    ),
    ...words('write tls: { server_name: app.internal }', 'sni', 'server_name', 'proxy_ssl_name'),
    ...words('write tls: { verify: false }', 'insecure', 'insecure_skip_verify', 'proxy_ssl_verify'),
    ...words('the PROXY protocol is not in this version', 'proxy_protocol', 'send_proxy'),
    ...words('HTTP/1.1 is the only protocol of this version', 'protocol', 'http2'),
    ...words(TIMEOUTS, 'timeout', 'connect_timeout', 'read_timeout', 'proxy_read_timeout'),
    ...words('write max_connections', 'max_conns', 'maxconn'),
    ...words('a weight is an endpoint’s: { address: "host:port", weight: 3 }', 'weight', 'weights'),
  },
  EndpointConfig: {
    ...words('write max_connections', 'max_conns', 'maxconn'),
    ...words(ADDRESS, 'host', 'port', 'server', 'url', 'uri', 'target', 'addr', 'ip'),
    ...words(TLS, 'tls', 'ssl', 'scheme', 'https'),
    ...words(`checks are of the whole pool: ${CHECK}`, 'health', 'healthcheck', 'check'),
  },
  TlsMatch: {
    ...words('write server_name', 'sni', 'server_names', 'sni_hosts', 'host', 'hosts', 'hostnames', 'domains'),
    ...words('write alpn', 'application_protocols', 'protocols', 'protocol'),
  },
  TlsRoute: {
    ...words('conditions are in match: { server_name: db.example.com }', 'sni', 'server_name', 'server_names', 'host'),
    ...words('conditions are in match: { alpn: acme-tls/1 }', 'alpn', 'application_protocols'),
    ...words('write mode: passthrough or terminate', 'passthrough', 'tls', 'terminate'),
    ...words(POOL, 'proxy_pass', 'upstream', 'backend', 'backends', 'cluster', 'service', 'services'),
  },
  ListenerConfig: {
    ...words(TLS_ROUTES, 'passthrough', 'tls_passthrough', 'ssl_preread', 'sni', 'server_names', 'filter_chains'),
    ...words('write address: "0.0.0.0:8080"', 'listen', 'bind', 'host', 'port', 'addr'),
    ...words('write tls: { certificates: [NAME] }', 'ssl', 'certificates', 'certificate'),
    ...words('the PROXY protocol is not in this version', 'proxy_protocol'),
    ...words('routes are written at the top, and name their listeners', 'routes', 'route', 'locations'),
    ...words(TIMEOUTS, 'timeout'),
    ...words(POOL, 'proxy_pass', 'upstream', 'backend'),
    ...words(BODY_SIZE, 'max_body_size', 'client_max_body_size', 'body_size'),
    ...words('write limits: { connections: 10000 }', 'max_conns', 'maxconn', 'max_connections', 'worker_connections'),
    ...words(CORS, 'cors'),
    ...words(HTTP2, 'http2', 'h2'),
  },
  PoolTimeouts: {
    ...words('write idle: the time without a byte of the response', 'read', 'proxy_read_timeout'),
    ...words('write first_byte: until the head of the response', 'response', 'header', 'response_header'),
    ...words('write total', 'request', 'timeout'),
  },
  RouteTimeoutsConfig: {
    ...words('write idle: the time without a byte of the response', 'read'),
    ...words('write total', 'request', 'timeout'),
    ...words("it is the pool's: pools: { NAME: { timeouts: { connect: 5s } } }", 'connect'),
  },
  PoolTls: {
    ...words('write ca', 'ca_file', 'cafile', 'root_ca', 'trusted_ca', 'proxy_ssl_trusted_certificate', 'rootCAs'),
    ...words('write server_name', 'sni', 'name', 'host', 'servername', 'serverName', 'verifyhost'),
    ...words('write verify: false', 'insecure', 'insecure_skip_verify', 'insecureSkipVerify', 'skip_verify'),
    ...words(
      'write certificate: NAME, and the pair in certificates',
      'cert',
      'key',
      'client_cert',
      'client_certificate',
    ),
    ...words('write min_version', 'version', 'versions', 'minimum_version', 'minVersion', 'protocols'),
  },
  ListenerLimits: { ...words('write body_size', 'max_body_size', 'client_max_body_size', 'body') },
  RouteLimitsConfig: { ...words('write body_size', 'max_body_size', 'client_max_body_size', 'body') },
  RedirectConfig: {
    ...words(
      'write it in parts: redirect: { scheme: https, host: example.com, path: /x }',
      'to',
      'url',
      'location',
      'target',
    ),
    ...words('write status: 308', 'code', 'permanent'),
  },
  CorsPolicyConfig: {
    ...words(
      'write origins',
      'origin',
      'allow_origins',
      'allowed_origins',
      'allow_origin',
      'accessControlAllowOriginList',
    ),
    ...words('write origins: [{ regex: ^https://[a-z]+\\.example\\.com$ }]', 'allow_origin_regex', 'origin_regex'),
    ...words('write methods', 'allow_methods', 'allowed_methods', 'accessControlAllowMethods'),
    ...words('write headers', 'allow_headers', 'allowed_headers', 'accessControlAllowHeaders'),
    ...words('write expose_headers', 'exposed_headers', 'accessControlExposeHeaders', 'expose'),
    ...words('write credentials', 'allow_credentials', 'accessControlAllowCredentials'),
    ...words('write max_age: 10m', 'accessControlMaxAge'),
    ...words('write private_network', 'allow_private_network', 'allow_private_network_access'),
    ...words('the gateway adds it by itself', 'addVaryHeader', 'vary'),
  },
  BufferPolicyConfig: {
    ...words('write size', 'max_size', 'max_request_bytes', 'maxRequestBodyBytes', 'body_size', 'limit'),
    ...words('write retries: { non_idempotent: true } in the pool or the route', 'retry', 'retryExpression', 'retries'),
  },
  PoolRetriesConfig: { ...words('write non_idempotent: true', 'retry_non_idempotent', 'unsafe', 'methods') },
  RouteRetriesConfig: { ...words('write non_idempotent: true', 'retry_non_idempotent', 'unsafe', 'methods') },
  CompressPolicyConfig: {
    ...words('write encodings: [gzip]', 'algorithm', 'algorithms', 'codings', 'formats', 'gzip', 'br', 'zstd'),
    ...words(
      'write levels: { gzip: 5 }',
      'level',
      'gzip_comp_level',
      'compression_level',
      'quality',
      'brotli_comp_level',
    ),
    ...words('write minimum_size: 1KiB', 'min_length', 'gzip_min_length', 'minimum_length', 'min_content_length'),
    ...words('write minimum_size: 1KiB', 'minResponseBodyBytes', 'min_size', 'minimum_length'),
    ...words(
      'write types: [text/html]',
      'gzip_types',
      'content_types',
      'content_type',
      'includedContentTypes',
      'match',
    ),
  },
  CompressLevelsConfig: { ...words('write br', 'brotli') },
  DecompressPolicyConfig: {
    ...words('write max_size: 16MiB', 'max_body_size', 'body_size', 'limit', 'maximum_size', 'size'),
    ...words('write encodings: [gzip]', 'algorithm', 'algorithms', 'codings', 'formats'),
  },
  RewritePolicyConfig: {
    ...words('write prefix: /x, replacement: /', 'strip_prefix', 'stripPrefix', 'strip', 'prefix_rewrite'),
    ...words('write prefix and replacement', 'from', 'to', 'path', 'regex', 'match', 'replace', 'with'),
  },
};

/** The hint for an unknown setting in an object whose schema has this title; undefined: none. */
export function foreignWord(title: string, name: string): string | undefined {
  const known = FOREIGN[title];
  return known !== undefined && Object.hasOwn(known, name) ? known[name] : undefined;
}

/** Policies that other gateways, or later versions, have. */
const LATER: Words = {
  ...words('rate limits are not in this version', 'rate_limit', 'ratelimit', 'limit_req'),
  ...words(AUTH, 'auth', 'basic_auth', 'basicauth', 'jwt', 'forward_auth'),
  ...words('write type: compress', 'compression', 'compressor', 'gzip', 'brotli', 'zstd', 'encode'),
  ...words('write type: decompress', 'decompressor', 'decompression', 'gunzip'),
};

export function laterPolicy(type: string): string | undefined {
  return Object.hasOwn(LATER, type) ? LATER[type] : undefined;
}

/** Settings that are one word elsewhere, and a map here: by the title of its schema, the setting that the word stands for. */
const MAIN: Readonly<Record<string, string>> = {
  PoolRetriesConfig: 'attempts',
  RouteRetriesConfig: 'attempts',
  PoolTimeouts: 'total',
  RouteTimeoutsConfig: 'total',
  ListenerTimeouts: 'idle',
  RouteLimitsConfig: 'body_size',
};

/** The hint for a value of another type than `wanted`, whose schema has this title. */
export function typeHint(
  value: unknown,
  wanted: string,
  { format, items }: SchemaNode,
  title = '',
): string | undefined {
  if (wanted === 'object' && Object.hasOwn(MAIN, title) && /^(?:number|string)$/.test(typeof value))
    return `write { ${MAIN[title]}: ${String(value)} }`;
  if (typeof value === 'number' && wanted === 'string') {
    if (format === 'duration') return `write ${value}s`;
    return hintOfFormat(format ?? '', String(value)) ?? `write "${value}" in quotes`;
  }
  if (value === null && format === 'origin') return 'write "null" in quotes';
  if (typeof value === 'boolean' && wanted === 'string') return `write "${value}" in quotes`;
  if (typeof value === 'string') return hintOfText(value, wanted, items);
  if (Array.isArray(value) && value.length === 1 && wanted !== 'object' && typeof value[0] !== 'object')
    return `write ${String(value[0])}, not a list`;
  if (Array.isArray(value) && wanted === 'object') return 'a map has a name before each: `name: …`';
  if (typeof value === 'object' && value !== null && wanted === 'array')
    return 'a list has a dash before each, and no name: `- …`';
  return undefined;
}

const YES = ['yes', 'on', 'y', 'enabled', 'True', 'TRUE', 'true'];
const NO = ['no', 'off', 'n', 'disabled', 'False', 'FALSE', 'false'];

function hintOfText(text: string, wanted: string, items: SchemaNode | undefined): string | undefined {
  if (wanted === 'boolean' && YES.includes(text)) return 'write true';
  if (wanted === 'boolean' && NO.includes(text)) return 'write false';
  if ((wanted === 'integer' || wanted === 'number') && /^\d+(\.\d+)?$/.test(text))
    return `write ${text} without quotes`;
  if (wanted === 'array' && (items === undefined || items.type === 'string' || items.$ref !== undefined))
    return `write [${/^[\w.-]+$/.test(text) ? text : `"${text}"`}]`;
  return undefined;
}

/** The hint for a text that does not match its format. */
export function hintOfFormat(format: string, text: string): string | undefined {
  if (/\{\{.*\}\}/.test(text)) return 'the template has not been filled in';
  const trimmed = text.trim();
  switch (format) {
    case 'duration':
      return written(nearestDuration(trimmed));
    case 'size':
      return written(nearestSize(trimmed));
    case 'address':
    case 'listen-address':
      return format === 'address'
        ? addressHint(trimmed, '127.0.0.1', TLS)
        : addressHint(trimmed, '0.0.0.0', 'write tls: { certificates: [NAME] } in the listener');
    case 'host':
    case 'host-pattern':
      return written(meantHost(trimmed) ?? undefined);
    case 'origin':
      return written(meantOrigin(trimmed) ?? undefined);
    case 'cidr':
      return written(networkOf(trimmed));
    case 'path':
    case 'path-and-query':
      return /^[^/]/.test(trimmed) && !trimmed.includes('://') ? `write /${trimmed}` : undefined;
    default:
      return undefined;
  }
}

/** `10.1.*` as a network. */
function networkOf(text: string): string | undefined {
  if (text === '*') return '0.0.0.0/0 and ::/0';
  const numbers = /^((?:\d{1,3}\.){1,3})\*(?:\.\*)*$/.exec(text)?.[1]?.slice(0, -1).split('.');
  if (numbers === undefined || numbers.some((one) => Number(one) > 255)) return undefined;
  return `${[...numbers, '0', '0', '0'].slice(0, 4).join('.')}/${8 * numbers.length}`;
}

function written(text: string | undefined): string | undefined {
  return text === undefined ? undefined : `write ${text}`;
}

/** `any`: the host to suggest where none is given; `tls`: how to write that the scheme is https. */
function addressHint(text: string, any: string, tls: string): string | undefined {
  const url = /^(https?|tcp|h2c|wss?):\/\/([^/?#]*)/.exec(text);
  if (url !== null) {
    const [, scheme = '', rest = ''] = url;
    const secure = scheme === 'https' || scheme === 'wss';
    const address = /:\d+$/.test(rest) ? rest : `${rest}:${secure ? 443 : 80}`;
    const plain = isAddress(address) ? `write "${address}", without ${scheme}://` : 'write host:port';
    return secure ? `${plain}; ${tls}` : plain;
  }
  if (text.startsWith('/')) return `write "unix:${text}"`;
  if (/^\d{1,5}$/.test(text)) return `write "${any}:${text}"`;
  const star = /^\*?:(\d{1,5})$/.exec(text);
  if (star !== null) return `write "${any}:${star[1]}"`;
  // Without its brackets an IPv6 address is indistinguishable from its port.
  const bare = /^([0-9a-fA-F:]*::?[0-9a-fA-F:]*):(\d{1,5})$/.exec(text);
  if (bare !== null && isAddress(`[${bare[1]}]:${bare[2]}`)) return `write "[${bare[1]}]:${bare[2]}"`;
  const weighted = /^(\S+:\d+)(?:\s+weight=|\s+|[@*|])(\d+)$/.exec(text);
  if (weighted !== null && isAddress(weighted[1]!))
    return `write { address: "${weighted[1]}", weight: ${weighted[2]} }`;
  const pathed = /^(\S+:\d+)\/\S*$/.exec(text);
  if (pathed !== null && isAddress(pathed[1]!)) return `write "${pathed[1]}"; paths are changed by a rewrite policy`;
  if (isAddress(`${text}:80`)) return `write the port too, such as "${text}:80"`;
  return undefined;
}

function isAddress(text: string): boolean {
  return parseAddress(text) !== null;
}
