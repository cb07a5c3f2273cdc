/** What the webgl driver keeps on a device: programs, framebuffers, textures of its own; and how it draws. */
import type { Backend, Layout, TfProgram } from './webgl-backend.js'

interface Uniform {
  readonly name: string
  readonly type: number
  readonly place: WebGLUniformLocation
  /** Of `x3`, the texture of buffer 3, and `l3`, the numbers of its layout; else NaN. */
  readonly buffer: number
}

export interface Program {
  readonly linked: TfProgram
  readonly uniforms: readonly Uniform[]
}

type Ints = readonly [number, number, number, number]

/** A uniform's value: a texture, four ints, or vectors of floats. */
export type Input = WebGLTexture | Ints | Float32Array

export interface Draw {
  readonly program: Program
  readonly to: readonly WebGLTexture[]
  /** Left, top, width and height of what is drawn. */
  readonly area: readonly [number, number, number, number]
  /** By name: all that the program uses, and whatever else there is. */
  readonly inputs: Readonly<Record<string, Input>>
  /** By buffer: what it reads of tensors. */
  readonly layouts?: readonly Layout[]
}

export interface Device {
  /** The program of a text that `key` and `kind` stand for; made when it is first asked for. */
  program(key: object, kind: string, text: () => string): Program
  draw(draw: Draw): void
  /** A texture of four float32 a texel, by name, at least so high, and always as wide. What it held is lost if it has to grow. */
  texture(name: string, width: number, height: number): WebGLTexture
  /** Writes texels from the left top on. */
  write(texture: WebGLTexture, width: number, height: number, values: Float32Array): void
  /** Hands the context back to tfjs. */
  end(): void
  destroy(): void
}

/** Width of the textures for partial sums. */
export const ATLAS = 1024

/** What the GLSL reads of a layout. */
export function numbersOf({ rows, cols, width, offset }: Layout): Ints {
  return [rows, cols, width, offset]
}

export function makeDevice({ gpgpu }: Backend): Device {
  const { gl } = gpgpu
  const programs = new Map<object, Record<string, Program>>()
  const textures = new Map<string, { texture: WebGLTexture | null; height: number }>()
  /** By how many targets they have: which are drawn to is state of a framebuffer, and tfjs's own has one. */
  const framebuffers: WebGLFramebuffer[] = []
  const made: (() => void)[] = []

  function compile(text: string): Program {
    const fragment = gl.createShader(gl.FRAGMENT_SHADER)!
    gl.shaderSource(fragment, text)
    gl.compileShader(fragment)
    // tfjs throws, and says why, where it does not compile.
    const linked = gpgpu.createProgram(fragment)
    gl.deleteShader(fragment)
    gpgpu.buildVao(linked)
    made.push(() => {
      gl.deleteProgram(linked)
      gl.deleteVertexArray(linked.vao)
    })
    // It is in use now. Textures are bound in the order of the uniforms, here once and for all.
    let unit = 0
    const uniforms = Array.from({ length: gl.getProgramParameter(linked, gl.ACTIVE_UNIFORMS) ?? 0 }, (_, i) => {
      const { name, type } = gl.getActiveUniform(linked, i)!
      const place = gl.getUniformLocation(linked, name)!
      if (type === gl.SAMPLER_2D) gl.uniform1i(place, unit++)
      return { name: name.replace('[0]', ''), type, place, buffer: Number.parseInt(name.slice(1), 10) }
    })
    return { linked, uniforms }
  }

  /** Binds a framebuffer with these targets. */
  function target(to: readonly (WebGLTexture | null)[]): void {
    const known = framebuffers[to.length]
    const framebuffer = known ?? gl.createFramebuffer()!
    gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer)
    if (!known) {
      framebuffers[to.length] = framebuffer
      made.push(() => gl.deleteFramebuffer(framebuffer))
      gl.drawBuffers(to.map((_, i) => gl.COLOR_ATTACHMENT0 + i))
    }
    to.forEach((texture, i) => {
      gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0 + i, gl.TEXTURE_2D, texture, 0)
    })
  }

  function bind(texture: WebGLTexture, unit = 0): void {
    gl.activeTexture(gl.TEXTURE0 + unit)
    gl.bindTexture(gl.TEXTURE_2D, texture)
  }

  return {
    program(key, kind, text) {
      const own = programs.get(key) ?? {}
      programs.set(key, own)
      own[kind] ??= compile(text())
      return own[kind]
    },
    draw({ program: { linked, uniforms }, to, area: [x, y, width, height], inputs, layouts = [] }) {
      target(to)
      gl.viewport(x, y, width, height)
      gl.scissor(x, y, width, height)
      if (gpgpu.program !== linked) {
        gpgpu.setProgram(linked)
        gpgpu.bindVertexArray(linked.vao)
      }
      let unit = 0
      for (const { name, type, place, buffer } of uniforms) {
        const layout = layouts[buffer]
        const value = inputs[name]!
        if (type === gl.SAMPLER_2D) bind(layout ? layout.texture : value, unit++)
        else if (type === gl.INT_VEC4) gl.uniform4i(place, ...(layout ? numbersOf(layout) : (value as Ints)))
        else gl.uniform4fv(place, value as Float32Array)
      }
      gl.drawElements(gl.TRIANGLES, 6, gl.UNSIGNED_SHORT, 0)
    },
    texture(name, width, height) {
      const known = textures.get(name) ?? { texture: null, height: 0 }
      if (known.height >= height) return known.texture!
      if (height > gl.getParameter(gl.MAX_TEXTURE_SIZE)) throw new Error('WebGL has no room for so many layers.')
      gl.deleteTexture(known.texture)
      const texture = gl.createTexture()!
      bind(texture)
      for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) {
        gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST)
      }
      gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32F, width, height)
      textures.set(name, { texture, height })
      made.push(() => gl.deleteTexture(texture))
      return texture
    },
    write(texture, width, height, values) {
      bind(texture)
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, height, gl.RGBA, gl.FLOAT, values)
    },
    end() {
      // A texture that tfjs deletes lives on as long as it is attached.
      framebuffers.forEach((_, count) => {
        target(new Array<null>(count).fill(null))
      })
      gl.bindFramebuffer(gl.FRAMEBUFFER, gpgpu.framebuffer)
    },
    destroy() {
      for (const unmake of made) unmake()
    }
  }
}
