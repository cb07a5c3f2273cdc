/** What the webgl driver keeps on a device: programs, framebuffers, textures of its own; and how it draws. */
import type { Backend, TfProgram } from './webgl-backend.js'

interface Uniform {
  readonly name: string
  readonly type: number
  readonly place: WebGLUniformLocation
}

export interface Program {
  readonly linked: TfProgram
  readonly uniforms: readonly Uniform[]
}

/** A uniform's value: a texture, four ints, or vectors of floats. */
export type Input = WebGLTexture | readonly number[] | Float32Array

export interface Draw {
  readonly program: Program
  readonly to: readonly WebGLTexture[]
  /** Left, top, width and height of what is drawn. */
  readonly area: readonly [number, number, number, number]
  /** By name: all that the program uses, and whatever else there is. */
  readonly inputs: Readonly<Record<string, Input>>
}

export interface Device {
  /** The program of a text that `key` and `kind` stand for; made when it is first asked for. */
  program(key: object, kind: string, text: () => string): Program
  draw(draw: Draw): void
  /** A texture of four float32 a texel, by name, at least so large. What it held is lost if it has to grow. */
  texture(name: string, width: number, height: number): WebGLTexture
  /** Writes texels from the left top on. */
  write(texture: WebGLTexture, width: number, height: number, values: Float32Array): void
  /** Hands the context back to tfjs. */
  end(): void
  destroy(): void
}

export function makeDevice({ gpgpu }: Backend): Device {
  const { gl } = gpgpu
  const programs = new Map<object, Map<string, Program>>()
  const textures = new Map<string, { texture: WebGLTexture; width: number; height: number }>()
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
    const uniforms = Array.from({ length: gl.getProgramParameter(linked, gl.ACTIVE_UNIFORMS) ?? 0 }, (_, i) => {
      const { name, type } = gl.getActiveUniform(linked, i)!
      return { name: name.replace('[0]', ''), type, place: gl.getUniformLocation(linked, name)! }
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

  return {
    program(key, kind, text) {
      const mine = programs.get(key) ?? new Map<string, Program>()
      programs.set(key, mine)
      const program = mine.get(kind) ?? compile(text())
      mine.set(kind, program)
      return program
    },
    draw({ program: { linked, uniforms }, to, area: [x, y, width, height], inputs }) {
      target(to)
      gl.viewport(x, y, width, height)
      gl.scissor(x, y, width, height)
      gpgpu.setProgram(linked)
      gpgpu.bindVertexArray(linked.vao)
      let unit = 0
      for (const { name, type, place } of uniforms) {
        const value = inputs[name]
        if (type === gl.SAMPLER_2D) {
          gl.activeTexture(gl.TEXTURE0 + unit)
          gl.bindTexture(gl.TEXTURE_2D, value as WebGLTexture)
          gl.uniform1i(place, unit++)
        } else if (type === gl.INT_VEC4) gl.uniform4iv(place, value as number[])
        else gl.uniform4fv(place, value as Float32Array)
      }
      gl.drawElements(gl.TRIANGLES, 6, gl.UNSIGNED_SHORT, 0)
    },
    texture(name, width, height) {
      const known = textures.get(name)
      if (known && known.width >= width && known.height >= height) return known.texture
      if (known) gl.deleteTexture(known.texture)
      const texture = gl.createTexture()!
      gl.activeTexture(gl.TEXTURE0)
      gl.bindTexture(gl.TEXTURE_2D, texture)
      for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) {
        gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST)
      }
      const size = { width: Math.max(width, known?.width ?? 0), height: Math.max(height, known?.height ?? 0) }
      gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA32F, size.width, size.height)
      textures.set(name, { texture, ...size })
      made.push(() => gl.deleteTexture(texture))
      return texture
    },
    write(texture, width, height, values) {
      gl.activeTexture(gl.TEXTURE0)
      gl.bindTexture(gl.TEXTURE_2D, texture)
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
