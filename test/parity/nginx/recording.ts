// What is recorded of the real nginx, and what is masked in both.
import type { Case } from './cases.ts';

export interface Recording {
  readonly cases: Record<
    string,
    { readonly answers: readonly string[]; readonly access: string; readonly errors: string }
  >;
  readonly configs: { readonly status: number; readonly output: string }[];
}

/** The whole configuration file of a case. */
export function wholeConfig({ http, main = '' }: Case): string {
  return `daemon off; worker_processes 1; pid /srv/nginx/nginx.pid; error_log /srv/nginx/error.log; events {}\n${main}\nhttp { access_log /srv/nginx/access.log; client_body_temp_path /srv/nginx/t1; proxy_temp_path /srv/nginx/t2; fastcgi_temp_path /srv/nginx/t3; uwsgi_temp_path /srv/nginx/t4; scgi_temp_path /srv/nginx/t5;\n${http}\n}\n`;
}

/** Without what differs from run to run. */
export function masked(text: string): string {
  return text
    .replaceAll(/(Date|Expires): \w{3}, (?!31 Dec 2037|01 Jan 1970)[^\r\n]* GMT/g, '$1: D')
    .replaceAll(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /gm, '')
    .replaceAll(/\[\d\d\/\w{3}\/\d{4}:[\d:]+ \+0000\]/g, '[T]')
    .replaceAll(/\d+#\d+: /g, 'P: ')
    .replaceAll(/\*\d+ /g, '*N ')
    .replaceAll(/boundary=\d{20}/g, 'boundary=B')
    .replaceAll(/--\d{20}/g, '--B');
}
