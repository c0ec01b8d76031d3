// Evaluates the model of nosgestesclimat again and again, each time with one changed answer.
// Arguments: rounds, evaluations in a round. Ends with one line of JSON.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import Engine from 'publicodes'

const [rounds, evaluations] = process.argv.slice(2).map(Number)
const GOAL = 'bilan'
// The first whose change moves the result, since not every version asks the same.
const ANSWERS = ['transport . voiture . km', 'logement . surface', 'transport . train . km']
const silent = { log() {}, warn() {}, error() {} }
const require = createRequire(import.meta.url)

function model() {
  const folder = dirname(require.resolve('@incubateur-ademe/nosgestesclimat/package.json'))
  const read = (name) => JSON.parse(readFileSync(join(folder, name)))
  return { version: read('package.json').version, rules: read('public/co2-model.FR-lang.fr-opti.json') }
}

const { version, rules } = model()
const engine = new Engine(rules, { logger: silent, strict: { noOrphanRule: false } })
const evaluate = (key, value) => {
  engine.setSituation({ [key]: value })
  return engine.evaluate(GOAL).nodeValue
}
const answer = ANSWERS.find((key) => key in rules && evaluate(key, 100) !== evaluate(key, 140))
if (!answer) throw new Error('no answer that we know moves the result')

const rates = []
for (let round = 0; round <= rounds; round++) {
  const began = performance.now()
  for (let n = 0; n < evaluations; n++) evaluate(answer, 100 + round * evaluations + n)
  rates.push((1000 * evaluations) / (performance.now() - began))
}
const warm = rates.slice(1).sort((a, b) => a - b)
console.log(JSON.stringify({ version, answer, perSecond: warm[Math.floor(warm.length / 2)] }))
