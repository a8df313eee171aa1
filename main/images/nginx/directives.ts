// The directives that nginx knows: where each may stand, how many arguments it takes and of what kind.

/** What a directive's arguments must be. */
type Kind = 'block' | 'flag' | 'size' | 'time' | 'number' | 'enum' | 'any';

export interface DirectiveRule {
  /** Where it may stand, by the letters below. */
  readonly contexts: string;
  readonly min: number;
  readonly max: number;
  readonly kind: Kind;
  /** May be given more than once in a block. */
  readonly repeats: boolean;
  /** For `enum`. */
  readonly values: readonly string[];
}

/*
 * Letters of contexts: m main, e events, h http, s server, l location, S if in a server, L if in a location, x limit_except,
 * u upstream, t stream, T its server, U its upstream. A trailing `*` means that it may be repeated; `=` lists an enum's values.
 */
const TABLE = `
http m 0 block
stream m 0 block
events m 0 block
user m 1-2
daemon m 1 flag
master_process m 1 flag
worker_processes m 1
worker_priority m 1 number
worker_rlimit_nofile m 1 number
worker_rlimit_core m 1 size
worker_cpu_affinity m 1-
worker_shutdown_timeout m 1 time
worker_aio_requests e 1 number
pid m 1
lock_file m 1
env m 1 *
load_module m 1 *
pcre_jit m 1 flag
thread_pool m 2-3 *
timer_resolution m 1 time
debug_points m 1 =stop,abort
ssl_engine m 1
working_directory m 1
error_log mhslTt 1- *
include * 1 *
worker_connections e 1
use e 1
multi_accept e 1 flag
accept_mutex e 1 flag
accept_mutex_delay e 1 time
debug_connection e 1 *
server hu 0 block *
location sl 1-2 block *
upstream h 1 block *
if sl 1- block *
limit_except l 1- block
types hsl 0 block *
map h 2 block *
geo h 1-2 block *
split_clients h 2 block *
match h 1 block *
listen sT 1- *
server_name s 1- *
root hslL 1
alias l 1
index hsl 1- *
try_files sl 2-
return sSlL 1-2 *
rewrite sSlL 2-3 *
set sSlL 2 *
break sSlL 0 *
rewrite_log hsSlL 1 flag
uninitialized_variable_warn hsSlL 1 flag
internal l 0
autoindex hsl 1 flag
autoindex_exact_size hsl 1 flag
autoindex_localtime hsl 1 flag
autoindex_format hsl 1 =html,json,jsonp,xml
error_page hslL 2- *
default_type hsl 1
types_hash_max_size hsl 1 number
types_hash_bucket_size hsl 1 number
variables_hash_max_size h 1 number
variables_hash_bucket_size h 1 number
server_names_hash_max_size h 1 number
server_names_hash_bucket_size h 1 number
map_hash_max_size h 1 number
map_hash_bucket_size h 1 number
proxy_headers_hash_max_size hsl 1 number
proxy_headers_hash_bucket_size hsl 1 number
server_tokens hsl 1
server_name_in_redirect hsl 1 flag
port_in_redirect hsl 1 flag
absolute_redirect hsl 1 flag
add_header hslL 2-3 *
add_trailer hslL 2-3 *
expires hslL 1-2
etag hsl 1 flag
if_modified_since hsl 1 =off,exact,before
max_ranges hsl 1 number
chunked_transfer_encoding hsl 1 flag
charset hslL 1
source_charset hslL 1
override_charset hslL 1 flag
charset_types hsl 1- *
charset_map h 2 block *
log_format ht 2- *
access_log hslLxtT 1- *
log_not_found hsl 1 flag
log_subrequest hsl 1 flag
open_log_file_cache hsl 1-4
sendfile hslL 1 flag
sendfile_max_chunk hsl 1 size
aio hsl 1
aio_write hsl 1 flag
directio hsl 1
directio_alignment hsl 1 size
output_buffers hsl 2
postpone_output hsl 1 size
read_ahead hsl 1 size
tcp_nopush hsl 1 flag
tcp_nodelay hsltT 1 flag
keepalive_timeout hsl 1-2
keepalive_requests hsl 1 number
keepalive_time hsl 1 time
keepalive_disable hsl 1-2
lingering_close hsl 1 =off,on,always
lingering_time hsl 1 time
lingering_timeout hsl 1 time
reset_timedout_connection hsl 1 flag
send_timeout hsl 1 time
send_lowat hsl 1 size
satisfy hsl 1 =all,any
allow hslx 1 *
deny hslx 1 *
auth_basic hslx 1
auth_basic_user_file hslx 1
auth_request hsl 1
auth_request_set hsl 2 *
auth_delay hsl 1 time
limit_req_zone h 3-4 *
limit_req hsl 1-3 *
limit_req_status hsl 1 number
limit_req_log_level hsl 1 =info,notice,warn,error
limit_req_dry_run hsl 1 flag
limit_conn_zone ht 2 *
limit_conn hsltT 2 *
limit_conn_status hsl 1 number
limit_conn_log_level hsltT 1 =info,notice,warn,error
limit_conn_dry_run hsltT 1 flag
limit_rate hslL 1
limit_rate_after hslL 1
client_max_body_size hsl 1 size
client_body_buffer_size hsl 1 size
client_body_timeout hsl 1 time
client_body_temp_path hsl 1-4
client_body_in_file_only hsl 1 =off,on,clean
client_body_in_single_buffer hsl 1 flag
client_header_timeout hs 1 time
client_header_buffer_size hs 1 size
large_client_header_buffers hs 2
connection_pool_size hs 1 size
request_pool_size hs 1 size
ignore_invalid_headers hs 1 flag
underscores_in_headers hs 1 flag
merge_slashes hs 1 flag
msie_padding hsl 1 flag
msie_refresh hsl 1 flag
recursive_error_pages hsl 1 flag
subrequest_output_buffer_size hsl 1 size
resolver hslutTU 1- *
resolver_timeout hslutTU 1 time
open_file_cache hsl 1-2
open_file_cache_valid hsl 1 time
open_file_cache_min_uses hsl 1 number
open_file_cache_errors hsl 1 flag
disable_symlinks hsl 1-2
gzip hslL 1 flag
gzip_types hsl 1- *
gzip_min_length hsl 1 size
gzip_comp_level hsl 1 number
gzip_vary hsl 1 flag
gzip_proxied hsl 1- *
gzip_http_version hsl 1 =1.0,1.1
gzip_disable hsl 1- *
gzip_buffers hsl 2
gzip_static hsl 1 =off,on,always
gunzip hsl 1 flag
gunzip_buffers hsl 2
stub_status sl 0-1
empty_gif l 0
sub_filter hsl 2 *
sub_filter_once hsl 1 flag
sub_filter_types hsl 1- *
sub_filter_last_modified hsl 1 flag
add_before_body hsl 1
add_after_body hsl 1
addition_types hsl 1- *
ssi hslL 1 flag
ssi_types hsl 1- *
real_ip_header hsl 1
set_real_ip_from hsltT 1 *
real_ip_recursive hsl 1 flag
secure_link hsl 1
secure_link_md5 hsl 1
secure_link_secret l 1
referer_hash_max_size sl 1 number
referer_hash_bucket_size sl 1 number
valid_referers sl 1- *
userid hsl 1 =off,on,log,v1
userid_name hsl 1
userid_path hsl 1
userid_domain hsl 1
userid_expires hsl 1
mirror hsl 1 *
mirror_request_body hsl 1 flag
dav_methods hsl 1-
create_full_put_path hsl 1 flag
dav_access hsl 1-3
flv l 0
mp4 l 0
random_index l 1 flag
slice hsl 1 size
http2 s 1 flag
http2_max_concurrent_streams hs 1 number
http2_chunk_size hsl 1 size
http2_max_field_size hs 1 size
http2_max_header_size hs 1 size
http2_max_requests hs 1 number
http2_recv_timeout hs 1 time
http2_idle_timeout hs 1 time
http2_push hsl 1 *
http2_push_preload hsl 1 flag
ssl hs 1 flag
ssl_certificate hsT 1 *
ssl_certificate_key hsT 1 *
ssl_password_file hs 1
ssl_protocols hstT 1-
ssl_ciphers hstT 1
ssl_prefer_server_ciphers hstT 1 flag
ssl_session_cache hstT 1-2
ssl_session_timeout hstT 1 time
ssl_session_tickets hstT 1 flag
ssl_session_ticket_key hstT 1 *
ssl_dhparam hstT 1
ssl_ecdh_curve hstT 1
ssl_buffer_size hs 1 size
ssl_client_certificate hstT 1
ssl_trusted_certificate hstT 1
ssl_verify_client hstT 1 =off,on,optional,optional_no_ca
ssl_verify_depth hstT 1 number
ssl_crl hstT 1
ssl_stapling hs 1 flag
ssl_stapling_verify hs 1 flag
ssl_stapling_file hs 1
ssl_stapling_responder hs 1
ssl_early_data hs 1 flag
ssl_reject_handshake hs 1 flag
ssl_conf_command hs 2 *
ssl_preread tT 1 flag
ssl_handshake_timeout tT 1 time
zone uU 1-2
ip_hash u 0
least_conn uU 0
hash uU 1-2
random uU 0-2
keepalive u 1
proxy_pass lLxT 1
proxy_set_header hsl 2 *
proxy_hide_header hsl 1 *
proxy_pass_header hsl 1 *
proxy_ignore_headers hsl 1- *
proxy_pass_request_headers hsl 1 flag
proxy_pass_request_body hsl 1 flag
proxy_set_body hsl 1
proxy_method hsl 1
proxy_http_version hsl 1 =1.0,1.1
proxy_redirect hsl 1-2 *
proxy_cookie_path hsl 1-2 *
proxy_cookie_domain hsl 1-2 *
proxy_cookie_flags hsl 1- *
proxy_connect_timeout hsltT 1 time
proxy_read_timeout hsl 1 time
proxy_send_timeout hsl 1 time
proxy_timeout tT 1 time
proxy_protocol tT 1 flag
proxy_protocol_timeout tT 1 time
proxy_responses tT 1 number
proxy_requests tT 1 number
proxy_upload_rate tT 1
proxy_download_rate tT 1
proxy_half_close tT 1 flag
preread_buffer_size tT 1 size
preread_timeout tT 1 time
proxy_next_upstream hsltT 1- *
proxy_next_upstream_tries hsltT 1 number
proxy_next_upstream_timeout hsltT 1 time
proxy_buffering hsl 1 flag
proxy_request_buffering hsl 1 flag
proxy_buffer_size hsltT 1 size
proxy_buffers hsl 2
proxy_busy_buffers_size hsl 1 size
proxy_max_temp_file_size hsl 1 size
proxy_temp_file_write_size hsl 1 size
proxy_temp_path hsl 1-4
proxy_limit_rate hsl 1
proxy_intercept_errors hsl 1 flag
proxy_ignore_client_abort hsl 1 flag
proxy_force_ranges hsl 1 flag
proxy_bind hsltT 1-2
proxy_socket_keepalive hsltT 1 flag
proxy_store hsl 1
proxy_store_access hsl 1-3
proxy_cache hsl 1
proxy_cache_path h 2- *
proxy_cache_key hsl 1
proxy_cache_valid hsl 1- *
proxy_cache_bypass hsl 1- *
proxy_no_cache hsl 1- *
proxy_cache_use_stale hsl 1- *
proxy_cache_methods hsl 1- *
proxy_cache_lock hsl 1 flag
proxy_cache_lock_timeout hsl 1 time
proxy_cache_lock_age hsl 1 time
proxy_cache_min_uses hsl 1 number
proxy_cache_revalidate hsl 1 flag
proxy_cache_background_update hsl 1 flag
proxy_ssl_verify hsltT 1 flag
proxy_ssl_verify_depth hsltT 1 number
proxy_ssl_server_name hsltT 1 flag
proxy_ssl_name hsltT 1
proxy_ssl_protocols hsltT 1-
proxy_ssl_ciphers hsltT 1
proxy_ssl_trusted_certificate hsltT 1
proxy_ssl_certificate hsltT 1
proxy_ssl_certificate_key hsltT 1
proxy_ssl_session_reuse hsltT 1 flag
proxy_ssl tT 1 flag
fastcgi_pass lL 1
fastcgi_param hsl 2-3 *
fastcgi_index hsl 1
fastcgi_split_path_info hsl 1
fastcgi_read_timeout hsl 1 time
fastcgi_buffers hsl 2
fastcgi_buffer_size hsl 1 size
fastcgi_temp_path hsl 1-4
fastcgi_intercept_errors hsl 1 flag
fastcgi_hide_header hsl 1 *
uwsgi_pass lL 1
uwsgi_param hsl 2-3 *
uwsgi_temp_path hsl 1-4
scgi_pass lL 1
scgi_param hsl 2-3 *
scgi_temp_path hsl 1-4
grpc_pass lL 1
grpc_set_header hsl 2 *
memcached_pass lL 1
perl lx 1
js_import h 1-3
`;

/** Directives of two kinds of context that mean another thing in each; looked up by the context's letter first. */
const VARIANTS = `
t:server t 0 block *
t:upstream t 1 block *
t:map t 2 block *
t:geo t 1-2 block *
t:split_clients t 2 block *
u:server u 1- *
U:server U 1- *
u:keepalive_timeout u 1 time
u:keepalive_requests u 1 number
u:keepalive_time u 1 time
T:return T 1
T:allow T 1 *
T:deny T 1 *
t:allow t 1 *
t:deny t 1 *
`;

function parseTable(text: string): Map<string, DirectiveRule> {
  const rules = new Map<string, DirectiveRule>();
  for (const line of text.trim().split('\n')) {
    const [name = '', contexts = '', count = '', ...rest] = line.split(' ');
    const [min = '0', max] = count.split('-');
    const values = rest
      .find((word) => word.startsWith('='))
      ?.slice(1)
      .split(',');
    const kind = rest.find((word) => word !== '*' && !word.startsWith('='));
    rules.set(name, {
      contexts,
      min: Number(min),
      max: max === undefined ? Number(min) : max === '' ? Infinity : Number(max),
      kind: values === undefined ? ((kind ?? 'any') as Kind) : 'enum',
      repeats: rest.includes('*'),
      values: values ?? [],
    });
  }
  return rules;
}

const RULES = parseTable(TABLE);
const VARIANT_RULES = parseTable(VARIANTS);

/** The rule of a directive in a context; undefined for a directive nginx doesn't know. */
export function ruleOf(name: string, context: string): DirectiveRule | undefined {
  return VARIANT_RULES.get(`${context}:${name}`) ?? RULES.get(name);
}

/** The letter of the context inside a block, for the block's name and where it stands. Blocks of data have none. */
export function contextInside(name: string, context: string): string | undefined {
  switch (name) {
    case 'http':
      return 'h';
    case 'events':
      return 'e';
    case 'stream':
      return 't';
    case 'server':
      return context === 't' ? 'T' : 's';
    case 'upstream':
      return context === 't' ? 'U' : 'u';
    case 'location':
      return 'l';
    case 'if':
      return context === 's' ? 'S' : 'L';
    case 'limit_except':
      return 'x';
    default:
      return undefined;
  }
}

/** `10m`, `1k`, `512` as bytes; undefined for what is no size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+)([kmg]?)$/i.exec(text);
  if (match === null) return undefined;
  return (
    Number(match[1]) * { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[match[2]!.toLowerCase() as '' | 'k']!
  );
}

const TIME_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  M: 2_592_000_000,
  y: 31_536_000_000,
  '': 1000,
};

/** `1h30m`, `500ms`, `60` (seconds) in ms; undefined for what is no time. */
export function parseTime(text: string): number | undefined {
  if (!/^(?:\d+(?:ms|[smhdwMy]?)\s*)+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, digits, unit] of text.matchAll(/(\d+)(ms|[smhdwMy]?)/g))
    sum += Number(digits) * TIME_UNITS[unit!]!;
  return sum;
}

/** What nginx says of a value that the rule doesn't allow; undefined if it does. */
export function valueProblem(name: string, args: readonly string[], rule: DirectiveRule): string | undefined {
  const [value = ''] = args;
  switch (rule.kind) {
    case 'flag':
      return /^(?:on|off)$/i.test(value)
        ? undefined
        : `invalid value "${value}" in "${name}" directive, it must be "on" or "off"`;
    case 'enum':
      return rule.values.includes(value.toLowerCase()) ? undefined : `invalid value "${value}"`;
    case 'number':
      return /^\d+$/.test(value) ? undefined : 'invalid number';
    case 'size':
    case 'time':
      return (rule.kind === 'size' ? parseSize(value) : parseTime(value)) === undefined
        ? `"${name}" directive invalid value`
        : undefined;
    default:
      return undefined;
  }
}
