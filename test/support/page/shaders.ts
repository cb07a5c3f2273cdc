/** Shaders of one text are compiled once a page: else most of the time of a test that makes many optimizers goes there. */
import type { Backend } from '../../../src/runtime/webgl-backend.js'

type Gpgpu = Backend['gpgpu']
type Program = ReturnType<Gpgpu['createProgram']>

export function keepShaders(gpgpu: Gpgpu): void {
  const { gl } = gpgpu
  const texts = new WeakMap<WebGLShader, string>()
  const programs = new Map<string, Program>()
  const built = new WeakSet<Program>()
  const own = {
    shaderSource: gl.shaderSource.bind(gl),
    compileShader: gl.compileShader.bind(gl),
    createProgram: gpgpu.createProgram.bind(gpgpu),
    buildVao: gpgpu.buildVao.bind(gpgpu)
  }
  const isKept = (shader: WebGLShader): boolean => programs.has(texts.get(shader) ?? '')
  Object.assign(gl, {
    shaderSource(shader: WebGLShader, text: string): void {
      texts.set(shader, text)
      own.shaderSource(shader, text)
    },
    compileShader: (shader: WebGLShader): void => (isKept(shader) ? undefined : own.compileShader(shader)),
    // Whoever disposes of one disposes of nobody else's.
    deleteProgram(): void {},
    deleteVertexArray(): void {}
  })
  Object.assign(gpgpu, {
    createProgram(shader: WebGLShader): Program {
      const text = texts.get(shader)!
      const program = programs.get(text) ?? own.createProgram(shader)
      programs.set(text, program)
      return program
    },
    buildVao(program: Program): void {
      if (built.has(program)) gpgpu.setProgram(program)
      else own.buildVao(program)
      built.add(program)
    }
  })
}
