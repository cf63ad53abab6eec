// A real OpenID Provider for the tests: oidc-provider with its own sign-in pages, where any name and password will do.
//
// Settings come from the environment:
//   OP_PORT       the port on 127.0.0.1; 0 or absent takes a free one
//   OP_HOST       the host in the issuer; 127.0.0.1, or a name under .localhost for browsers
//   GATEWAY_URL   the gateway's public_url: its /callback, /logged-out and /backchannel-logout are registered
//   OP_CLIENTS    more clients, as a JSON array of client metadata
// With --until-stdin-ends it ends when its standard input does, so that it never outlives the test that started it.
//
// Standard output has one JSON object a line: {"event":"ready","issuer":…,"port":…} first, then
// {"event":"backchannel.success"|"backchannel.error","client":…,"sid":…} for each logout token delivered or not.

import dns from 'node:dns';
import { createServer } from 'node:http';

import { Provider } from 'oidc-provider';

// The package's own notices go where its warnings go.
console.info = console.warn;

const say = (event, more) => process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);

// Browsers know that *.localhost is this machine (RFC 6761 section 6.3), the system's resolver often does not.
const lookup = dns.lookup;
dns.lookup = (host, ...rest) => lookup(host.endsWith('.localhost') ? '127.0.0.1' : host, ...rest);

const gateway = process.env.GATEWAY_URL;
if (!gateway) throw new Error('GATEWAY_URL is not set');

const clients = [
  {
    client_id: 'gateway',
    client_secret: 'a secret: only for tests/of the gateway',
    redirect_uris: [`${gateway}/callback`],
    post_logout_redirect_uris: [`${gateway}/logged-out`],
    grant_types: ['authorization_code', 'refresh_token'],
    backchannel_logout_uri: `${gateway}/backchannel-logout`,
    backchannel_logout_session_required: true,
  },
  ...JSON.parse(process.env.OP_CLIENTS ?? '[]'),
];

const server = createServer();
server.listen(Number(process.env.OP_PORT ?? 0), '127.0.0.1', () => {
  const { port } = server.address();
  const issuer = `http://${process.env.OP_HOST ?? '127.0.0.1'}:${port}`;
  const provider = new Provider(issuer, {
    clients,
    features: { backchannelLogout: { enabled: true } },
    // As most providers do, it keeps claims about the person for userinfo (conformIdTokenClaims stays on).
    claims: { email: ['email', 'email_verified'], profile: ['name'] },
    findAccount: (_ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@example.test`, email_verified: true, name: `Name of ${id}` }),
    }),
    pkce: { required: () => true },
    cookies: { keys: ['only for tests'] },
    // Without its own dispatcher, which refuses to call this machine.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  });
  for (const event of ['backchannel.success', 'backchannel.error']) {
    provider.on(event, (...args) => {
      const [client, , sid] = args.slice(-3);
      say(event, { client: client.clientId, sid });
    });
  }
  server.on('request', provider.callback());
  say('ready', { issuer, port });
});

const stop = () => {
  server.close(() => process.exit(0));
  server.closeAllConnections();
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
if (process.argv.includes('--until-stdin-ends')) process.stdin.on('end', stop).resume();
