// A small site behind the chain gateway: node:http and jose, nothing else.
import { lookup as resolve } from 'node:dns'
import { createServer, get as getHttp } from 'node:http'
import { get as getHttps } from 'node:https'
import { createRemoteJWKSet, customFetch } from 'jose'
import { Chain } from './chain.js'

const { GATEWAY, APP_ID, APP_ORIGIN, APP_SECRET, SESSION_KEY, PORT = '3000' } = process.env
for (const name of ['GATEWAY', 'APP_ID', 'APP_ORIGIN', 'APP_SECRET', 'SESSION_KEY']) {
  if (!process.env[name]) throw new Error(`set ${name}; see README.md`)
}
const PRIVATE = { 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer', 'X-Content-Type-Options': 'nosniff' }

// browsers take *.localhost for this machine, a bare system's resolver does not (RFC 6761, section 6.3)
const lookup = (host, options, done) => resolve(/(^|\.)localhost$/.test(host) ? '127.0.0.1' : host, options, done)
const fetchKeys = (url, { signal }) => new Promise((resolve, reject) => {
  (url.startsWith('https:') ? getHttps : getHttp)(url, { lookup, signal }, async (answer) => {
    let text = ''
    for await (const chunk of answer) if ((text += chunk).length > 65536) return reject(new Error('too big'))
    resolve(new Response(text, { status: answer.statusCode }))
  }).on('error', reject)
})
const keys = createRemoteJWKSet(new URL(`${GATEWAY}/.well-known/jwks.json`), { cooldownDuration: 60_000, [customFetch]: fetchKeys })
const settings = { gateway: GATEWAY, appId: APP_ID, origin: APP_ORIGIN, secret: APP_SECRET, sessionKey: SESSION_KEY }
const chain = new Chain({ ...settings, sessionMax: 12 * 3600 }, keys)

const reply = (status, headers = {}, body = '') => ({ status, headers: { ...PRIVATE, ...headers }, body })
// no form-action here: Chromium holds it against every redirect that follows the sign-out form, at all other sites too
const CSP = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
const page = (status, body) => reply(status, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': CSP }, body)
const trouble = (status) => page(status, `<!doctype html><p>This step could not be verified. <a href="${GATEWAY}/resume">Continue at the sign-in service</a>`)
const to = (url, params, status = 302) => reply(status, { Location: `${url}${url.includes('?') ? '&' : '?'}${new URLSearchParams(params)}` })
const escaped = (text) => String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)

/** The one value of a field, '' without it; throws if it is there twice. */
const one = (fields, name) => {
  const values = fields.getAll(name)
  if (values.length > 1) throw new Error('doubled')
  return values[0] ?? ''
}

async function form(request) {
  let text = ''
  for await (const chunk of request) if ((text += chunk).length > 8192) throw new Error('too big')
  return new URLSearchParams(text)
}

async function hop(request, url, shown) {
  const posted = request.method === 'POST'
  if (/prefetch/.test(request.headers['sec-purpose'] ?? '')) return trouble(503)
  if (posted && request.headers.origin !== GATEWAY) return trouble(403) // no page but the gateway's may post a ticket
  try {
    const fields = posted ? await form(request) : url.searchParams
    const [text, begin] = [one(fields, 'ticket'), posted ? '' : one(fields, 'begin')]
    const ticket = await chain.ticket(text || begin)
    if ((ticket.act === 'begin') !== Boolean(begin) || (text && begin)) throw new Error('act')
    const said = begin ? chain.begin() : await chain.answer(ticket, posted, shown)
    const answer = begin ? { bind: said.bind } : { receipt: await chain.receipt(ticket, said) }
    const moved = to(ticket.return, answer, posted ? 303 : 302)
    return { ...moved, headers: { ...moved.headers, 'Set-Cookie': said.cookies } }
  } catch {
    return trouble(400) // nothing was verified, so there is nobody to send a receipt to
  }
}

async function backchannelLogout(request) {
  try {
    await chain.backchannelLogout(one(await form(request), 'logout_token'))
    return reply(200, { 'Content-Type': 'application/json' }, '{}')
  } catch {
    return reply(400, { 'Content-Type': 'application/json' }, '{"error":"invalid_request"}')
  }
}

async function logout(request, url, shown) {
  const params = { app: APP_ID, return_to: `${APP_ORIGIN}/`, scope: 'all' }
  if (request.method !== 'POST') return to(`${GATEWAY}/logout`, params) // anybody's link: the gateway asks first
  if (request.headers.origin !== APP_ORIGIN) return trouble(403)
  const session = chain.live(shown)
  if (session) params.request = await chain.logoutRequest(session.sid)
  return to(`${GATEWAY}/logout`, params, 303)
}

function home(request, url, shown) {
  const session = chain.live(shown)
  const signOut = '<form method="post" action="/chain/logout"><button>Sign out</button></form>'
  const body = session ? `<p>Signed in as <b>${escaped(session.sub)}</b></p>${signOut}` : '<p>Not signed in. <a href="/chain/login">Sign in</a></p>'
  const shownPage = page(200, `<!doctype html><title>${escaped(APP_ID)}</title><h1>${escaped(APP_ID)}</h1>${body}`)
  shownPage.headers['Referrer-Policy'] = 'same-origin' // with no-referrer the form below would say "Origin: null"
  return shownPage
}

const ROUTES = {
  'GET /': home,
  'GET /chain/hop': hop,
  'POST /chain/hop': hop,
  'GET /chain/ping': () => reply(204),
  'POST /chain/backchannel-logout': backchannelLogout,
  'GET /chain/login': () => to(`${GATEWAY}/login`, { app: APP_ID, return_to: `${APP_ORIGIN}/` }),
  'GET /chain/logout': logout,
  'POST /chain/logout': logout,
}

async function serve(request, response) {
  const url = new URL(request.url, 'http://this.invalid') // the path and query alone; Host chooses nothing
  const route = ROUTES[`${request.method} ${url.pathname}`] ?? (() => page(404, '<!doctype html><p>There is no such page.'))
  const { status, headers, body } = await route(request, url, await chain.shown(request.headers.cookie))
  response.writeHead(status, headers).end(body)
}

createServer((request, response) => {
  serve(request, response).catch(() => response.writeHead(400, PRIVATE).end())
}).listen(Number(PORT), '127.0.0.1', function () {
  console.log(`listening on ${this.address().port}`)
})
