package cudart

import (
	"bytes"
	"fmt"
	"unsafe"
)

// Device describes one GPU, or one MIG instance of it.
type Device struct {
	Ordinal         int    // what NewContext takes
	Name            string // such as "NVIDIA H200"
	UUID            string // 8-4-4-4-12 hexadecimal digits; nvidia-smi writes GPU- or MIG- before them
	Major, Minor    int    // compute capability
	MemoryBytes     int
	Multiprocessors int
	L2Bytes         int

	handle int32 // CUdevice
}

// Arch is the compiler's name for the device's instruction set, such as "sm_90".
func (d Device) Arch() string { return fmt.Sprintf("sm_%d%d", d.Major, d.Minor) }

// Numbers of CUdevice_attribute.
const (
	attributeMultiprocessors = 16
	attributeL2Bytes         = 38
	attributeMajor           = 75
	attributeMinor           = 76
)

// Devices describes the devices that this process may use, in the driver's order.
func (d *Driver) Devices() ([]Device, error) {
	var count int32
	code := d.api.deviceGetCount.call(uintptr(unsafe.Pointer(&count)))
	if err := d.check(d.api.deviceGetCount, code); err != nil {
		return nil, err
	}
	devices := make([]Device, count)
	for i := range devices {
		var err error
		if devices[i], err = d.device(i); err != nil {
			return nil, fmt.Errorf("describe device %d: %w", i, err)
		}
	}
	return devices, nil
}

// device describes one device.
func (d *Driver) device(ordinal int) (Device, error) {
	dev := Device{Ordinal: ordinal}
	var handle int32
	code := d.api.deviceGet.call(uintptr(unsafe.Pointer(&handle)), uintptr(ordinal))
	if err := d.check(d.api.deviceGet, code); err != nil {
		return dev, err
	}
	dev.handle = handle

	var name [256]byte
	code = d.api.deviceGetName.call(uintptr(unsafe.Pointer(&name)), uintptr(len(name)), uintptr(handle))
	if err := d.check(d.api.deviceGetName, code); err != nil {
		return dev, err
	}
	text, _, _ := bytes.Cut(name[:], []byte{0})
	dev.Name = string(text)

	var id [16]byte
	code = d.api.deviceGetUuid.call(uintptr(unsafe.Pointer(&id)), uintptr(handle))
	if err := d.check(d.api.deviceGetUuid, code); err != nil {
		return dev, err
	}
	dev.UUID = fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])

	var memory uint64
	code = d.api.deviceTotalMem.call(uintptr(unsafe.Pointer(&memory)), uintptr(handle))
	if err := d.check(d.api.deviceTotalMem, code); err != nil {
		return dev, err
	}
	dev.MemoryBytes = int(memory)

	for _, a := range []struct {
		to     *int
		number uintptr
	}{
		{&dev.Multiprocessors, attributeMultiprocessors},
		{&dev.L2Bytes, attributeL2Bytes},
		{&dev.Major, attributeMajor},
		{&dev.Minor, attributeMinor},
	} {
		var value int32
		code := d.api.deviceGetAttribute.call(uintptr(unsafe.Pointer(&value)), a.number, uintptr(handle))
		if err := d.check(d.api.deviceGetAttribute, code); err != nil {
			return dev, err
		}
		*a.to = int(value)
	}
	return dev, nil
}
