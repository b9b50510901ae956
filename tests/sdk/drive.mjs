// Drives a running server through the official JavaScript SDK, both of its clients, and prints a JSON report.
//
//   node drive.mjs BASE_URL DIRECTORY
//
// The model behind the server answers by what a prompt begins with: "[lane:hello]" with the text "Hello from the model",
// "[lane:tool]" with a command that needs permission, "[lane:slow]" with a command that takes a minute.
import assert from "node:assert/strict"
import { createOpencodeClient as createV1 } from "@opencode-ai/sdk"
import { createOpencodeClient as createV2 } from "@opencode-ai/sdk/v2"

const [baseUrl, directory] = process.argv.slice(2)
const PATIENCE = 10_000
const model = { providerID: "scripted", modelID: "m1" }
const options = { baseUrl, directory, throwOnError: true }
const v1 = createV1(options)
const v2 = createV2(options)

// Remembers every event of one stream, and waits for those to come.
class Recorder {
  events = []
  waiting = new Set()

  async follow(stream) {
    for await (const event of stream) {
      this.events.push(event)
      for (const look of this.waiting) look()
    }
  }

  // The first event that fits, seen already or still to come.
  until(what, fits) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`no ${what} within ${PATIENCE} ms; seen: ${this.events.map((event) => event.type)}`))
      }, PATIENCE)
      const look = () => {
        const found = this.events.find(fits)
        if (!found) return
        clearTimeout(timer)
        this.waiting.delete(look)
        resolve(found)
      }
      this.waiting.add(look)
      look()
    })
  }

  ofSession(sessionID) {
    return this.events.filter((event) => event.properties?.sessionID === sessionID)
  }
}

const closing = new AbortController()

async function subscribed(client) {
  const recorder = new Recorder()
  const { stream } = await client.event.subscribe({ signal: closing.signal }, { signal: closing.signal })
  recorder.follow(stream).catch((error) => {
    if (!closing.signal.aborted) throw error
  })
  await recorder.until("greeting", (event) => event.type === "server.connected")
  return recorder
}

const isIdle = (sessionID) => (event) =>
  event.type === "session.status" && event.properties.sessionID === sessionID && event.properties.status.type === "idle"

const toolOf = (sessionID, status) => (event) =>
  event.type === "message.part.updated" &&
  event.properties.part.sessionID === sessionID &&
  event.properties.part.type === "tool" &&
  event.properties.part.state.status === status

const textPart = (text) => ({ type: "text", text })

async function answersAPrompt() {
  const events = await subscribed(v1)
  const { data: session } = await v1.session.create({ body: { title: "From the SDK" } })
  assert.equal(session.title, "From the SDK")
  assert.equal(session.directory, directory)

  const { data: answer } = await v1.session.prompt({
    path: { id: session.id },
    body: { model, parts: [textPart("[lane:hello] say hello")] },
  })
  assert.equal(answer.info.role, "assistant")
  assert.ok(answer.info.time.completed)
  const texts = answer.parts.filter((part) => part.type === "text").map((part) => part.text)
  assert.deepEqual(texts, ["Hello from the model"])

  await events.until("idle session", isIdle(session.id))
  const kinds = events.ofSession(session.id).map((event) => event.type)
  const streamed = events
    .ofSession(session.id)
    .filter((event) => event.type === "message.part.delta")
    .map((event) => event.properties.delta)
    .join("")
  assert.equal(streamed, "Hello from the model")
  assert.ok(kinds.indexOf("message.updated") < kinds.indexOf("message.part.updated"))

  const { data: messages } = await v1.session.messages({ path: { id: session.id } })
  assert.deepEqual(messages.map((message) => message.info.role), ["user", "assistant"])
  assert.equal(messages[0].parts[0].text, "[lane:hello] say hello")
  assert.deepEqual(messages[1].info.id, answer.info.id)
  return { messages: messages.length, streamed }
}

async function repliesToAPermission() {
  const events = await subscribed(v2)
  const { data: session } = await v2.session.create({})
  await v2.session.promptAsync({ sessionID: session.id, model, parts: [textPart("[lane:tool] run it")] })

  const isAsked = (event) => event.type === "permission.asked" && event.properties.sessionID === session.id
  const { properties: asked } = await events.until("permission request", isAsked)
  assert.equal(asked.permission, "bash")
  const { data: pending } = await v2.permission.list()
  assert.ok(pending.some((request) => request.id === asked.id))

  await v2.permission.reply({ requestID: asked.id, reply: "once" })
  const isReplied = (event) => event.type === "permission.replied" && event.properties.requestID === asked.id
  const { properties: replied } = await events.until("reply", isReplied)
  assert.equal(replied.reply, "once")

  const { properties } = await events.until("completed tool", toolOf(session.id, "completed"))
  assert.match(properties.part.state.output, /from-the-shell/)
  await events.until("idle session", isIdle(session.id))
  assert.deepEqual((await v2.permission.list()).data, [])
  return { permission: asked.permission, tool: properties.part.tool }
}

async function rejectsAPermission() {
  const events = await subscribed(v1)
  const { data: session } = await v1.session.create({ body: {} })
  await v1.session.promptAsync({ path: { id: session.id }, body: { model, parts: [textPart("[lane:tool] run it")] } })
  const isAsked = (event) => event.type === "permission.asked" && event.properties.sessionID === session.id
  const { properties: asked } = await events.until("permission request", isAsked)
  await v1.postSessionIdPermissionsPermissionId({
    path: { id: session.id, permissionID: asked.id },
    body: { response: "reject" },
  })
  const { properties } = await events.until("refused tool", toolOf(session.id, "error"))
  await events.until("idle session", isIdle(session.id))
  return { tool: properties.part.tool, error: properties.part.state.error }
}

async function abortsARunningPrompt() {
  const events = await subscribed(v2)
  const { data: session } = await v2.session.create({ permission: [{ permission: "*", pattern: "*", action: "allow" }] })
  const prompt = v2.session.prompt({ sessionID: session.id, model, parts: [textPart("[lane:slow] run it")] })
  await events.until("running tool", toolOf(session.id, "running"))
  assert.equal((await v2.session.status()).data[session.id].type, "busy")

  const started = performance.now()
  assert.equal((await v2.session.abort({ sessionID: session.id })).data, true)
  await events.until("idle session", isIdle(session.id))
  const took = performance.now() - started
  assert.ok(took < 5_000, `abort took ${took} ms`)

  const { data: answer } = await prompt
  assert.equal(answer.info.error?.name, "MessageAbortedError")
  const tool = answer.parts.find((part) => part.type === "tool")
  assert.notEqual(tool.state.status, "running")
  assert.equal((await v2.session.status()).data[session.id], undefined)
  return { error: answer.info.error.name, tool: tool.state.status }
}

async function meetsNamedErrors() {
  const plain = createV1({ baseUrl, directory })
  const { error, response } = await plain.session.get({ path: { id: "ses_00000000000000000000000000" } })
  assert.equal(response.status, 404)
  assert.equal(error.name, "NotFoundError")
  return { status: response.status, name: error.name }
}

async function readsCatalogues() {
  const [{ data: agents }, { data: providers }, { data: path }] = await Promise.all([
    v1.app.agents(),
    v1.config.providers(),
    v1.path.get(),
  ])
  assert.ok(agents.some((agent) => agent.name === "build"))
  assert.ok(providers.providers.some((provider) => provider.id === model.providerID))
  assert.equal(path.directory, directory)
  return { agents: agents.length, providers: providers.providers.map((provider) => provider.id) }
}

const scenarios = {
  answersAPrompt,
  repliesToAPermission,
  rejectsAPermission,
  abortsARunningPrompt,
  meetsNamedErrors,
  readsCatalogues,
}

const report = {}
for (const [name, run] of Object.entries(scenarios)) {
  try {
    report[name] = { ok: true, saw: await run() }
  } catch (error) {
    report[name] = { ok: false, error: String(error?.stack ?? error) }
  }
}
closing.abort()
console.log(JSON.stringify(report))
process.exit(Object.values(report).every((result) => result.ok) ? 0 : 1)
