// The app's own pages over the scheme `app:`, with a strict policy and nothing outside the renderer's folder.
import { protocol } from 'electron';
import { contentSecurityPolicy, Pages } from '../session/index.ts';

const SCHEME = 'app';
const HOST = 'drydock';
export const APP_ORIGIN = `${SCHEME}://${HOST}`;
export const APP_URL = `${APP_ORIGIN}/index.html`;

const POLICY = contentSecurityPolicy("'self'");

/** Must run before the app is ready. */
export function declareScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
}

/** Answers every request of that scheme, ever. */
export function servePages(): void {
  const pages = new Pages();
  protocol.handle(SCHEME, async (request) => {
    const { host, pathname } = new URL(request.url);
    const page = host === HOST && request.method === 'GET' ? await pages.read(pathname) : undefined;
    if (page === undefined) return new Response('Not found', { status: 404 });
    return new Response(page.content, {
      headers: {
        'Content-Type': page.type,
        'Content-Security-Policy': POLICY,
        'X-Content-Type-Options': 'nosniff',
      },
    });
  });
}
