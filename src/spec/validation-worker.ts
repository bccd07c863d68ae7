import { parentPort } from 'node:worker_threads'
import { type ValidationRequest, validateProduct } from './validate.ts'

// The entry of the thread that validate-in-worker.ts starts, and kills when a text takes too long.
const port = parentPort!
port.on('message', ({ id, request }: { id: number; request: ValidationRequest }) => {
  port.postMessage({ id, validation: validateProduct(request) })
})
port.postMessage({ ready: true })
