// The app's side of the chain hop protocol: what a ticket may do, and the cookies that remember it.
// Sections are those of docs/protocol.md. Times are seconds, epochs milliseconds.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { EncryptJWT, SignJWT, jwtDecrypt, jwtVerify } from 'jose'

const SKEW = 60
const TICKET_LIFE = 60
const BIND = '__Host-chain-bind'
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax'
const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout'

const EACH = ['iss', 'aud', 'act', 'bid', 'jti', 'iat', 'exp', 'epoch', 'walk', 'hop', 'return']
const CLAIMS = { // section 3: with more or less than these a ticket is refused
  login: { must: [...EACH, 'sub', 'sid'], may: ['auth_time', 'acr', 'claims', 'cnf', 'watch'] },
  logout: { must: EACH, may: ['sid', 'cnf', 'watch'] },
  begin: { must: EACH, may: [] },
}

export const now = () => Math.floor(Date.now() / 1000)
const sha256 = (text) => createHash('sha256').update(text, 'ascii').digest()
const random = (bytes) => randomBytes(bytes).toString('base64url')
const highest = (cookies) => Math.max(-1, ...cookies.map((cookie) => cookie.epoch))

export class Chain {
  #spent = new Map() // jti -> { outcome, reason, at, until }: tickets and logout tokens that were applied
  #ended = new Map() // sid -> { epoch, until }: sessions that a logout ended, in whichever browser

  /** settings: gateway, appId, origin, secret, sessionKey, sessionMax; keys finds the gateway's key of a header */
  constructor(settings, keys) {
    Object.assign(this, settings)
    this.keys = keys
    this.secret = new TextEncoder().encode(settings.secret)
    this.sealKey = createHash('sha256').update(`cookies ${settings.sessionKey}`).digest()
  }

  // ---- tickets, receipts, logout requests, logout tokens --------------------------------------------------------

  async #signedByGateway(text, typ, audience) {
    if (!text || text.length > 4096) throw new Error('size')
    const options = { issuer: this.gateway, audience, typ, algorithms: ['ES256'], clockTolerance: SKEW }
    const { payload, protectedHeader } = await jwtVerify(text, this.keys, options)
    if (Object.keys(protectedHeader).sort().join() !== 'alg,kid,typ') throw new Error('header')
    if (typeof payload.aud !== 'string' || payload.iat > now() + SKEW) throw new Error('claims')
    return payload
  }

  /** The claims of a ticket for this app; throws if it is none. */
  async ticket(text) {
    const ticket = await this.#signedByGateway(text, 'chain-ticket+jwt', this.origin)
    const { must, may } = CLAIMS[ticket.act] ?? { must: ['a known act'], may: [] }
    const names = Object.keys(ticket)
    if (must.some((n) => !names.includes(n)) || names.some((n) => !must.includes(n) && !may.includes(n))) throw new Error('claims')
    if (!(ticket.exp - ticket.iat <= TICKET_LIFE) || !Number.isSafeInteger(ticket.epoch) || ticket.epoch < 0) throw new Error('claims')
    if (typeof ticket.return !== 'string' || !ticket.return.startsWith(`${this.gateway}/relay?`)) throw new Error('return')
    return ticket
  }

  receipt({ jti, walk, hop, epoch }, { outcome, reason }) {
    const claims = { jti, rid: random(16), walk, hop, epoch, outcome, ...(reason && { reason }) }
    return this.#sign('chain-receipt+jwt', claims, false)
  }

  logoutRequest(sid) {
    return this.#sign('chain-logout-request+jwt', { sid, jti: random(16) }, true)
  }

  #sign(typ, claims, expires) {
    const jwt = new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ }).setIssuer(this.appId).setAudience(this.gateway)
    if (expires) jwt.setExpirationTime(now() + TICKET_LIFE)
    return jwt.setIssuedAt(now()).sign(this.secret)
  }

  /** OpenID Connect Back-Channel Logout 1.0, with the epoch beside the standard claims; throws if it proves nothing. */
  async backchannelLogout(text) {
    const token = await this.#signedByGateway(text, 'logout+jwt', [this.appId, this.origin])
    const { sid, epoch, jti, exp, iat } = token
    const event = token.events?.[LOGOUT_EVENT]
    if (!event || Object.keys(event).length || Object.keys(token.events).length !== 1 || 'nonce' in token) throw new Error('events')
    if (typeof sid !== 'string' || !sid || typeof jti !== 'string' || !(exp - iat <= 120)) throw new Error('claims')
    if (!Number.isSafeInteger(epoch) || epoch > (now() + 300) * 1000 || this.#seen(jti)) throw new Error('epoch or jti')
    this.#spent.set(jti, { until: exp + SKEW })
    this.#end(sid, epoch)
  }

  // ---- what a ticket does (sections 3 and 6) ---------------------------------------------------------------------

  /** The first half of two_step: a cookie that only this browser has, and its hash for the gateway. */
  begin() {
    const value = random(32)
    return { bind: sha256(value).toString('base64url'), cookies: [`${BIND}=${value}; ${ATTRIBUTES}; Max-Age=120`] }
  }

  /** The answer to a ticket: { outcome, reason, cookies }. `posted`: by a POST whose Origin was the gateway's. */
  async answer(ticket, posted, shown) {
    const refused = (reason) => ({ outcome: 'refused', reason, cookies: [] })
    const { act, bid, cnf, epoch, jti } = ticket
    if (shown.doubled) return refused('doubled_cookie')
    if (epoch > (now() + 300) * 1000) return refused('epoch_ahead')
    if (cnf && !this.#bindMatches(shown.bind, cnf)) return refused('bind')
    const bound = posted || Boolean(cnf)
    if (act === 'login' && !bound) return refused('unbound')
    const first = this.#seen(jti)
    if (first && !this.#sameBrowser(ticket, shown)) return refused('used')
    const [older, newer] = [shown.sessions.filter((s) => s.epoch < epoch), highest(shown.sessions) > epoch]
    const drop = cnf ? [BIND] : []
    if (act === 'login') {
      const twin = shown.sessions.some((s) => s.epoch === epoch && s.bid !== bid)
      const buried = epoch <= Math.max(this.#barrier(bid, shown), this.#ended.get(ticket.sid)?.epoch ?? -1)
      if (!first && (buried || newer || twin)) return { outcome: 'stale', cookies: drop.map(dropped) }
      const at = first?.at ?? now()
      const { sub, sid, claims = {}, auth_time } = ticket
      const session = { epoch, bid, jti, sub, sid, claims, auth_time, until: at + this.sessionMax }
      const cookies = [...older.map((s) => s.name), ...drop].map(dropped)
      cookies.push(await this.#sealed('chain-session', `__Host-chain-s-${epoch}`, session))
      if (cookies.at(-1).length > 2560) return { outcome: 'error', reason: 'claims_too_big', cookies: [] }
      return this.#spend(ticket, { outcome: 'applied', cookies })
    }
    if (!bound && !first && this.#meetsAnother(ticket, shown)) return refused('other_browser')
    const scope = bound || shown.tombstones.some((t) => t.epoch === epoch && !t.bid) ? '' : bid // never narrow one
    const mine = shown.sessions.filter((s) => s.epoch <= epoch && (!scope || s.bid === scope))
    const stones = shown.tombstones.filter((t) => t.epoch < epoch && (!scope || t.bid === scope))
    for (const sid of new Set([ticket.sid, ...mine.map((s) => s.sid)])) if (sid) this.#end(sid, epoch)
    const until = (first?.at ?? now()) + this.sessionMax + TICKET_LIFE + 2 * SKEW
    const cookies = [...mine, ...stones].map((c) => c.name).concat(drop).map(dropped)
    cookies.push(await this.#sealed('chain-tombstone', `__Host-chain-t-${epoch}`, { epoch, bid: scope, jti, until }))
    // a cross-site POST leaves the cookies at home: what there was is ended by the tombstone all the same
    const found = mine.length || (posted && !shown.sessions.length)
    return this.#spend(ticket, { outcome: newer ? 'stale' : found ? 'applied' : 'absent', cookies })
  }

  /** The session that the request has now, or null: the highest, unless it was buried, ended or has run out. */
  live(shown) {
    if (shown.doubled || !shown.sessions.length) return null
    const top = shown.sessions.reduce((a, b) => (a.epoch > b.epoch ? a : b))
    const barrier = Math.max(this.#barrier(top.bid, shown), this.#ended.get(top.sid)?.epoch ?? -1)
    return top.epoch > barrier && top.until > now() ? top : null
  }

  #barrier(bid, shown) {
    return highest(shown.tombstones.filter((t) => !t.bid || t.bid === bid))
  }

  /** Whether an unbound logout would decide about another browser's session, or overwrite or pile up its tombstones. */
  #meetsAnother({ bid, epoch }, shown) {
    const theirs = shown.tombstones.filter((t) => t.bid && t.bid !== bid)
    const alive = shown.sessions.some((s) => s.bid !== bid && s.epoch <= epoch && s.epoch > this.#barrier(s.bid, shown))
    return alive || theirs.length > 3 || theirs.some((t) => t.epoch === epoch)
  }

  #bindMatches(cookie, cnf) {
    const [is, must] = [sha256(cookie ?? ''), Buffer.from(cnf['cb#S256'] ?? '', 'base64url')]
    return Boolean(cookie) && is.length === must.length && timingSafeEqual(is, must)
  }

  #sameBrowser({ act, bid, cnf, jti }, shown) {
    if (cnf) return true // the bind cookie was compared
    if (act === 'login') return shown.sessions.some((s) => s.jti === jti)
    return shown.tombstones.some((t) => t.jti === jti) || shown.sessions.some((s) => s.bid === bid)
  }

  // ---- memory: one process here; several share a database -------------------------------------------------------

  #spend({ jti, exp }, { outcome, cookies }) {
    const first = this.#seen(jti) ?? { outcome, at: now(), until: exp + SKEW }
    this.#spent.set(jti, first)
    return { outcome: first.outcome, cookies }
  }

  #seen(jti) {
    for (const [key, entry] of this.#spent) if (entry.until < now()) this.#spent.delete(key)
    return this.#spent.get(jti)
  }

  #end(sid, epoch) {
    for (const [key, entry] of this.#ended) if (entry.until < now()) this.#ended.delete(key)
    const until = now() + this.sessionMax + TICKET_LIFE + 2 * SKEW
    this.#ended.set(sid, { epoch: Math.max(epoch, this.#ended.get(sid)?.epoch ?? -1), until })
  }

  // ---- cookies: one for each login and each logout, named by its epoch ------------------------------------------

  /** What a Cookie header holds of ours, opened; `doubled` if one name is there twice. */
  async shown(header = '') {
    const found = { sessions: [], tombstones: [], bind: undefined, doubled: false }
    const names = new Set()
    for (const pair of header.split(';')) {
      const [name, ...rest] = pair.trim().split('=')
      if (!name.startsWith('__Host-chain-')) continue
      if (names.has(name)) found.doubled = true
      names.add(name)
      const [, kind, epoch] = /^__Host-chain-([st])-(0|[1-9]\d{0,15})$/.exec(name) ?? []
      if (name === BIND) found.bind = rest.join('=')
      else if (kind) await this.#open(found, kind, Number(epoch), name, rest.join('='))
    }
    return found
  }

  async #open(found, kind, epoch, name, value) {
    const typ = kind === 's' ? 'chain-session' : 'chain-tombstone'
    const { payload } = await jwtDecrypt(value, this.sealKey, { typ }).catch(() => ({ payload: {} }))
    if (payload.epoch !== epoch) return // sealed by somebody else, or for another name
    if (kind === 's') found.sessions.push({ ...payload, name })
    else if (payload.until > now()) found.tombstones.push({ ...payload, name })
  }

  async #sealed(typ, name, content) {
    const header = { alg: 'dir', enc: 'A256GCM', typ }
    const value = await new EncryptJWT(content).setProtectedHeader(header).encrypt(this.sealKey)
    return `${name}=${value}; ${ATTRIBUTES}; Max-Age=${content.until - now()}`
  }
}

const dropped = (name) => `${name}=; ${ATTRIBUTES}; Max-Age=0`
