def test_a(demo):
    assert demo
