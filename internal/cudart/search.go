package cudart

import "path"

const (
	driverLibrary = "libcuda.so.1"
	driverAdvice  = "install NVIDIA's driver, or give this container its GPUs (docker run --gpus all), until nvidia-smi lists them; without a GPU compute on the CPU"

	compilerLibrary = "libnvrtc.so"
	compilerAdvice  = "install NVIDIA's run-time compiler (pip install nvidia-cuda-nvrtc, or the package cuda-nvrtc of the CUDA toolkit) with a CUDA version not above the driver's"
)

// driverSearch lists where the driver's library may be: the loader's search finds
// it on an ordinary system, the folders are those of container runtimes, WSL and
// NixOS that forget to tell the loader.
func driverSearch() []string {
	return []string{
		driverLibrary,
		"/usr/local/nvidia/lib64/" + driverLibrary,
		"/usr/lib/wsl/lib/" + driverLibrary,
		"/run/opengl-driver/lib/" + driverLibrary,
	}
}

func compilerSearch(dirs []string) []string { return ToolkitSearch(compilerLibrary, dirs...) }

// ToolkitSearch lists where a library of the CUDA toolkit, such as "libcublasLt.so", may
// be: in the caller's folders, where the loader looks, in toolkits (the one that the
// system has chosen first), and in pip's packages. Within a folder the newest major
// version comes first.
func ToolkitSearch(library string, dirs ...string) []string {
	names := []string{library + ".13", library + ".12", library}
	var search []string
	add := func(dir string) {
		for _, name := range names {
			search = append(search, path.Join(dir, name))
		}
	}
	for _, dir := range dirs {
		add(path.Join("/", dir))
	}
	search = append(search, names...)
	for _, toolkit := range []string{"/usr/local/cuda", "/usr/local/cuda-*", "/opt/cuda"} {
		add(toolkit + "/lib64")
		add(toolkit + "/targets/*/lib")
	}
	for _, packages := range []string{
		"/usr/local/lib/python3*/site-packages",
		"/usr/local/lib/python3*/dist-packages",
		"/usr/lib/python3*/site-packages",
		"/usr/lib/python3*/dist-packages",
		"/opt/*/lib/python3*/site-packages",        // conda, virtual environments in images
		"/opt/*/envs/*/lib/python3*/site-packages", // conda's environments
	} {
		add(packages + "/nvidia/*/lib")
	}
	return search
}
